/**
 * yamux tells the sender of new room after every frame, which costs both ends as much as a message of their own. Here it tells once
 * half of the window is used, as other implementations do: until then the sender has the other half. To be imported before libp2p.
 */
import { StreamState, YamuxStream } from '@libp2p/yamux/stream';

/** What of a stream is looked at; its types keep that private. */
interface Window {
  readonly state: StreamState;
  /** Bytes: of the whole window, and of what may still come. */
  readonly recvWindow: number;
  readonly recvWindowCapacity: number;
  sendWindowUpdate(): void;
}

const target = YamuxStream.prototype as unknown as Window;
const tellNow = Object.getOwnPropertyDescriptor(target, 'sendWindowUpdate')?.value as () => void;

target.sendWindowUpdate = function (this: Window): void {
  // Before that an update opens the stream, or accepts it.
  const isOpen = this.state === StreamState.Established || this.state === StreamState.SYNSent;
  if (isOpen && this.recvWindowCapacity > this.recvWindow / 2) return;
  tellNow.call(this);
};
