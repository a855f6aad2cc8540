/**
 * libp2p hands each piece of a frame to the socket by itself: a length of two bytes and then what is so long, each a call of the
 * system, a segment and an event at the other end. Here the small ones that come in one turn of the event loop go out as one. To be
 * imported before libp2p.
 */
import { type Socket } from 'node:net';
import { AbstractMultiaddrConnection } from '@libp2p/utils';

/** Bytes from which on nothing is waited for: what a socket holds back counts as not taken, and pauses who sends. */
const LARGE_BYTES = 8_192;

type Send = AbstractMultiaddrConnection['send'];

/** The connection over TCP has its socket; its types keep that private. */
interface OverSocket {
  readonly socket?: Socket;
}

const target = AbstractMultiaddrConnection.prototype;
const send: Send = Reflect.get(target, 'send');

target.send = function (this: AbstractMultiaddrConnection, data: Parameters<Send>[0]): boolean {
  const { socket } = this as OverSocket;
  if (socket !== undefined && socket.writableCorked === 0 && data.byteLength < LARGE_BYTES) {
    socket.cork();
    process.nextTick(() => socket.uncork());
  }
  return send.call(this, data);
};
