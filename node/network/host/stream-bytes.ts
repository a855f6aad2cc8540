/** The two directions of a libp2p stream as an async source and a sink, with backpressure both ways. */
import { type MessageStream, type StreamMessageEvent, type StreamCloseEvent } from '@libp2p/interface';
import { NodeError } from '../../node-error.ts';
import { READ_AHEAD_BYTES } from '../network-limits.ts';

export type Bytes = StreamMessageEvent['data'];

/**
 * What the other side sends, in pieces of any size, until it closes its end. Once `READ_AHEAD_BYTES` wait here the sender's
 * window stays shut, so that at most that and one window are held.
 * Throws what closed the stream if that was an error.
 */
export async function* readStream(stream: MessageStream): AsyncGenerator<Bytes, void, undefined> {
  const pieces: Bytes[] = [];
  let bytes = 0;
  let isOver = stream.readableEnded;
  let failure: Error | undefined;
  let isResuming = false;
  let wake = (): void => undefined;
  const onMessage = ({ data }: StreamMessageEvent): void => {
    pieces.push(data);
    bytes += data.byteLength;
    // A pause within the dispatch of a resume would be undone by the rest of it.
    if (bytes >= READ_AHEAD_BYTES && !isResuming) stream.pause();
    wake();
  };
  const onEnd = (): void => {
    isOver = true;
    wake();
  };
  const onClose = ({ error }: StreamCloseEvent): void => {
    failure = error;
    onEnd();
  };
  stream.addEventListener('message', onMessage);
  stream.addEventListener('end', onEnd);
  stream.addEventListener('close', onClose);
  try {
    for (;;) {
      const piece = pieces.shift();
      if (piece !== undefined) {
        bytes -= piece.byteLength;
        yield piece;
        continue;
      }
      if (failure !== undefined) throw failure;
      if (isOver || stream.status !== 'open') return;
      isResuming = true;
      if (stream.readBufferLength > 0 || isPaused(stream)) stream.resume();
      isResuming = false;
      if (bytes >= READ_AHEAD_BYTES) stream.pause();
      if (pieces.length === 0 && !isOver) await new Promise<void>((resolve) => (wake = resolve));
    }
  } finally {
    stream.removeEventListener('message', onMessage);
    stream.removeEventListener('end', onEnd);
    stream.removeEventListener('close', onClose);
  }
}

function isPaused(stream: MessageStream): boolean {
  return (stream as MessageStream & { readStatus?: string }).readStatus === 'paused';
}

/** Resolves once the stream can take more. Rejects if it closes before, or with the signal's reason. */
export async function sendPiece(stream: MessageStream, piece: Bytes, signal: AbortSignal): Promise<void> {
  signal.throwIfAborted();
  // Its 'drain' promise is never reset, hence the event.
  if (!stream.send(piece)) await drained(stream, signal);
}

function drained(stream: MessageStream, signal: AbortSignal): Promise<void> {
  return new Promise((resolve, reject) => {
    const settle = (error?: Error): void => {
      stream.removeEventListener('drain', onDrain);
      stream.removeEventListener('close', onClose);
      signal.removeEventListener('abort', onAbort);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onDrain = (): void => settle();
    const onClose = ({ error }: StreamCloseEvent): void => settle(error ?? streamClosed());
    const onAbort = (): void => settle(signal.reason as Error);
    stream.addEventListener('drain', onDrain);
    stream.addEventListener('close', onClose);
    signal.addEventListener('abort', onAbort);
    if (stream.status !== 'open') settle(streamClosed());
    else if (signal.aborted) onAbort();
  });
}

function streamClosed(): NodeError {
  return new NodeError('PEER_UNREACHABLE', 'the stream was closed', { retry: true });
}
