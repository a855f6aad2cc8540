/**
 * The first thing on every connection: both say which network and region they are of. Whoever dialled asks. A connection without
 * a fitting hello in time is closed, and nothing else is served on it before.
 */
import { type Connection } from '@libp2p/interface';
import { isProtocolError, ProtocolError } from '../../../protocol/fault.ts';
import { encodeHello, type Hello, HELLO_PROTOCOL, parseHello, unwelcome } from '../hello.ts';
import { FAREWELL_MS, HELLO_MS_MAX } from '../network-limits.ts';
import { Deadline } from './deadline.ts';
import { type ExchangeClient } from './exchange-client.ts';

export interface GreeterModules {
  readonly client: ExchangeClient;
  readonly ownHello: () => Hello;
  /** The region of an identity; undefined for a stranger. */
  readonly regionOf: (peer: string) => string | undefined;
  /** Counted for the operator. */
  readonly onRefused: (reason: string) => void;
  readonly onGreeted: (connection: Connection, hello: Hello) => void;
}

interface Meeting {
  readonly over: Promise<boolean>;
  readonly end: (isGreeted: boolean) => void;
}

export class Greeter {
  readonly #modules: GreeterModules;
  readonly #meetings = new WeakMap<Connection, Meeting>();

  constructor(modules: GreeterModules) {
    this.#modules = modules;
  }

  /** A connection has opened. */
  meet(connection: Connection): void {
    void this.#meetingOn(connection);
    if (connection.direction === 'outbound') void this.#ask(connection);
  }

  /** Resolves once it is settled whether both have said hello. */
  greeted(connection: Connection): Promise<boolean> {
    return this.#meetingOn(connection).over;
  }

  /** The answer to a hello. What it says may mean the end of the connection, which the other learns from our answer. */
  answer(connection: Connection, request: Uint8Array): Uint8Array {
    try {
      this.#settle(connection, parseHello(request));
    } catch (error) {
      if (isProtocolError(error)) this.#refuse(connection, 'hello-malformed');
      throw error;
    }
    return encodeHello(this.#modules.ownHello());
  }

  async #ask(connection: Connection): Promise<void> {
    const { client, ownHello } = this.#modules;
    try {
      const signal = AbortSignal.timeout(HELLO_MS_MAX);
      const answer = await client.askOn(connection, HELLO_PROTOCOL, encodeHello(ownHello()), signal);
      this.#settle(connection, parseHello(answer));
    } catch (error) {
      // A peer that does not know us closes the connection instead of an answer.
      this.#refuse(connection, error instanceof ProtocolError ? 'hello-malformed' : 'hello-unanswered');
    }
  }

  #settle(connection: Connection, hello: Hello): void {
    const { ownHello, regionOf, onGreeted } = this.#modules;
    const reason = unwelcome(ownHello(), hello, regionOf(connection.remotePeer.toString()));
    if (reason !== undefined) return this.#refuse(connection, reason);
    onGreeted(connection, hello);
    this.#meetingOn(connection).end(true);
  }

  /** The other hears our answer before the connection ends, and may end it itself. */
  #refuse(connection: Connection, reason: string): void {
    this.#modules.onRefused(reason);
    this.#meetingOn(connection).end(false);
    const farewell = new Deadline((why) => connection.abort(new Error(why)));
    connection.addEventListener('close', () => farewell.clear(), { once: true });
    farewell.set(connection.direction === 'inbound' ? FAREWELL_MS : 0, reason);
  }

  #meetingOn(connection: Connection): Meeting {
    const known = this.#meetings.get(connection);
    if (known !== undefined) return known;
    let settle: (isGreeted: boolean) => void = () => undefined;
    const late = new Deadline((reason) => this.#refuse(connection, reason));
    const over = new Promise<boolean>((resolve) => (settle = resolve));
    const end = (isGreeted: boolean): void => {
      late.clear();
      settle(isGreeted);
    };
    const meeting = { over, end };
    this.#meetings.set(connection, meeting);
    late.set(HELLO_MS_MAX, 'hello-late');
    connection.addEventListener('close', () => end(false), { once: true });
    return meeting;
  }
}
