/** A peer that speaks libp2p well and the rest as badly as the test wants. */
import assert from 'node:assert/strict';
import '../../node/network/promise-shim.ts';
import { generateKeyPairFromSeed } from '@libp2p/crypto/keys';
import { type Connection, type Stream } from '@libp2p/interface';
import { multiaddr } from '@multiformats/multiaddr';
import { decode, encode } from 'it-length-prefixed';
import { type Libp2pNode, makeLibp2pNode } from '../../node/network/host/libp2p-node.ts';
import { encodeHello, type Hello, HELLO_PROTOCOL, parseHello } from '../../node/network/hello.ts';
import { parseFrame } from '../../node/network/result-code.ts';
import { identitySeed, NETWORK } from './host-fixture.ts';
import { until } from './until.ts';

export class HostilePeer {
  readonly region: string;
  readonly #libp2p: Libp2pNode;
  readonly connection: Connection;

  private constructor(region: string, libp2p: Libp2pNode, connection: Connection) {
    this.region = region;
    this.#libp2p = libp2p;
    this.connection = connection;
  }

  /** Connects with the identity of a region, and has not said anything yet. Leaves nothing behind if it is turned away. */
  static async dial(region: string, address: string): Promise<HostilePeer> {
    const privateKey = await generateKeyPairFromSeed('Ed25519', identitySeed(region));
    const libp2p = await makeLibp2pNode({ privateKey, listen: [], gater: {} });
    try {
      await libp2p.start();
      return new HostilePeer(region, libp2p, await libp2p.dial(multiaddr(address)));
    } catch (error) {
      await libp2p.stop();
      throw error;
    }
  }

  /** Says hello as it should be, but for the changes, and gives the answer. */
  async greet(changes: Partial<Hello> = {}): Promise<Hello> {
    const hello = { network: NETWORK, region: this.region, software: 'hostile', versions: [1], heads: [] };
    const stream = await this.connection.newStream(HELLO_PROTOCOL);
    const answer = firstFrame(stream);
    stream.send(encode.single(encodeHello({ ...hello, ...changes })));
    return parseHello((await answer).payload);
  }

  /** A stream on which a protocol was agreed. */
  stream(protocol: string | readonly string[]): Promise<Stream> {
    return this.connection.newStream([...(typeof protocol === 'string' ? [protocol] : protocol)], {
      maxOutboundStreams: 1_000,
    });
  }

  /** A stream on which nothing was agreed. */
  async bareStream(): Promise<Stream> {
    const { muxer } = this.connection as unknown as {
      muxer: { createStream(options: object): Promise<Stream> };
    };
    return muxer.createStream({});
  }

  /** A stream to the gossip of the other side. */
  gossip(): Promise<Stream> {
    return this.stream(this.#libp2p.services.pubsub.protocols);
  }

  async stop(): Promise<void> {
    this.connection.abort(new Error('stopped'));
    await this.#libp2p.stop();
  }
}

/** The first frame that comes on a stream. */
export async function firstFrame(stream: Stream): Promise<ReturnType<typeof parseFrame>> {
  for await (const frame of decode(stream)) return parseFrame(frame.slice());
  return assert.fail('no frame');
}

/** Resolves once the other side has reset or closed the stream. */
export async function ended(stream: Stream): Promise<void> {
  await until(() => stream.status !== 'open' || stream.remoteWriteStatus === 'closed', 'the stream ends');
}
