/** What a node does for its peers besides answering `sync`: it cosigns, fences their writers, gives whole logs away, and says what it makes of a code. */
import { LogServer, type LogServerModules } from '../sync/log-server.ts';
import { VerifyServer, type VerifyServerModules } from '../verdicts/verify-server.ts';
import { WitnessServer, type WitnessServerModules } from '../witness/witness-server.ts';
import { WriterBook, type WriterBookModules } from '../writer/writer-book.ts';
import { WriterServer, type WriterServerModules } from '../writer/writer-server.ts';

export type DesksModules = LogServerModules &
  VerifyServerModules &
  WitnessServerModules &
  WriterBookModules &
  Omit<WriterServerModules, 'writers'>;

export class Desks {
  readonly #desks: readonly { start(): void }[];

  constructor(modules: DesksModules) {
    this.#desks = [
      new WitnessServer(modules),
      new WriterServer({ ...modules, writers: new WriterBook(modules) }),
      new LogServer(modules),
      new VerifyServer(modules),
    ];
  }

  start(): void {
    for (const desk of this.#desks) desk.start();
  }
}
