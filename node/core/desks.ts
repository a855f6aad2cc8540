/** What a node does for its peers besides answering `sync`: it cosigns, fences their writers, gives whole logs away, and says what it makes of a code. */
import { isNodeError } from '../node-error.ts';
import { LogServer, type LogServerModules } from '../sync/log-server.ts';
import { VerifyServer, type VerifyServerModules } from '../verdicts/verify-server.ts';
import { putAway } from '../store/put-away.ts';
import { type TrustKeeper } from '../trust/trust-keeper.ts';
import { type TrustModules } from '../../protocol/trust/verify-statement.ts';
import { WitnessServer, type WitnessServerModules } from '../witness/witness-server.ts';
import {
  BatchShare,
  type BatchShareModules,
  holdsShare,
  ShareServer,
  type ShareServerModules,
  type ShareServerOptions,
} from '../writer/batch-share.ts';
import { WriterBook, type WriterBookModules } from '../writer/writer-book.ts';
import { isRegistryDamage } from '../registry/registry-error.ts';
import { type Registry } from '../registry/registry.ts';
import { RootWords } from '../writer/root-word.ts';
import { sharedKey } from '../writer/writer-memory.ts';
import { WriterServer, type WriterServerModules } from '../writer/writer-server.ts';
import { followedRoot } from './root-change.ts';

export type DesksModules = LogServerModules &
  VerifyServerModules &
  WitnessServerModules &
  TrustModules &
  Omit<WriterBookModules, 'isNamed'> &
  Omit<WriterServerModules, 'writers' | 'rootWord'> &
  Pick<ShareServerModules, 'isStandby' | 'giveWay' | 'turns'> & {
    /** Forgets an attestation by its name, as the other machine was told to at that time. Rejects as `Registry.forgetNamed`. */
    readonly forgetNamed: (name: string, atS: number) => Promise<void>;
    readonly registry: () => Pick<Registry, 'forgotten'>;
  } & Pick<BatchShareModules, 'client' | 'clock' | 'onTrouble'> & {
    /** The region of a peer; undefined for a stranger. */
    readonly regionOf: (peer: string) => string | undefined;
    readonly keeper: (region: string) => Pick<TrustKeeper, 'state'> | undefined;
  };

export class Desks {
  readonly #desks: readonly { start(): void }[];
  readonly #writers: WriterBook;

  constructor(options: ShareServerOptions, modules: DesksModules) {
    const { regionOf, store, secondPlace, keeper } = modules;
    const isOwn = (peer: string) => regionOf(peer) === options.region;
    const keep: ShareServerModules['keep'] = (changes) => store.write(changes);
    const isHeld: ShareServerModules['isHeld'] = (share) => holdsShare(store, share);
    const standby = new BatchShare({ ...modules, isOwn });
    const { isNamed, rootWord } = new RootWords({ ...modules, stateOf: (region) => keeper(region)?.state });
    const writers = new WriterBook({
      ...modules,
      isNamed,
      share: async (origin, value, index) => {
        const root = await followedRoot(origin, secondPlace);
        if (root === undefined) return;
        await standby.give({ origin, index, changes: [{ put: sharedKey(origin, root), value }] });
      },
    });
    this.#writers = writers;
    const keepRecord: ShareServerModules['keepRecord'] = async (origin, record, under) => {
      const root = await followedRoot(origin, secondPlace);
      try {
        await writers.follow(origin, record, root === undefined || putAway(root) === under ? '' : under);
        return true;
      } catch (error) {
        if (isNodeError(error, 'LOG_CORRUPT')) return false;
        throw error;
      }
    };
    const forget: ShareServerModules['forget'] = async (order) => {
      const { forgotten } = modules.registry();
      if (!forgotten.isFromOther(order)) return 'refused';
      try {
        await modules.forgetNamed(order.name, forgotten.notedAtS(order));
        return forgotten.answerTo(order);
      } catch (error) {
        if (isRegistryDamage(error)) return 'failed';
        throw error;
      }
    };
    this.#desks = [
      new WitnessServer(modules),
      new WriterServer({ ...modules, rootWord, writers }),
      new ShareServer(options, { ...modules, isOwn, keep, keepRecord, isHeld, forget }),
      new LogServer(modules),
      new VerifyServer(modules),
    ];
  }

  /** As `WriterBook.reread`, by the name of a trust log. */
  reread(origin: string): Promise<void> {
    return this.#writers.reread(origin);
  }

  start(): void {
    for (const desk of this.#desks) desk.start();
  }
}
