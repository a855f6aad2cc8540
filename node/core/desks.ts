/** What a node does for its peers besides answering `sync`: it cosigns, gives whole logs away, and says what it makes of a code. */
import { LogServer, type LogServerModules } from '../sync/log-server.ts';
import { VerifyServer, type VerifyServerModules } from '../verdicts/verify-server.ts';
import { WitnessServer, type WitnessServerModules } from '../witness/witness-server.ts';

export type DesksModules = LogServerModules & VerifyServerModules & WitnessServerModules;

export class Desks {
  readonly #desks: readonly { start(): void }[];

  constructor(modules: DesksModules) {
    this.#desks = [new WitnessServer(modules), new LogServer(modules), new VerifyServer(modules)];
  }

  start(): void {
    for (const desk of this.#desks) desk.start();
  }
}
