/**
 * How the parts of one region's node hang together: each is given those that it uses, and questions for what comes into being after
 * it. Nothing is started here.
 */
import { type ForkEvidence } from '../../protocol/evidence/fork.ts';
import { encodeNote } from '../../protocol/log/note.ts';
import { attestationLogOrigin, trustLogOrigin, witnessName } from '../../protocol/log/origin.ts';
import { PeerClocks } from '../clock/peer-clocks.ts';
import { noteTurned } from '../abuse/bulk-watch.ts';
import { CopyWatch } from '../evidence/copy-watch.ts';
import { EvidenceBook } from '../evidence/evidence-book.ts';
import { NamedStatements } from '../evidence/named-statements.ts';
import { UnheldForks } from '../evidence/unheld-forks.ts';
import { UnprovenNotes } from '../evidence/unproven-notes.ts';
import { LeafWatch } from '../evidence/leaf-watch.ts';
import { WitnessWatch } from '../evidence/witness-watch.ts';
import { isCounted } from '../issuing/forgetting.ts';
import { JoiningBook } from '../joining/joining-book.ts';
import { Lookup } from '../lookup/lookup.ts';
import { type NamedForgettingOptions } from '../registry/forgetter.ts';
import { type Place } from '../registry/place-cipher.ts';
import { type Registry } from '../registry/registry.ts';
import { Store } from '../store/store.ts';
import { AntiEntropy } from '../sync/anti-entropy.ts';
import { BranchFinder } from '../sync/branch-finder.ts';
import { Herald } from '../sync/herald.ts';
import { LeafFinder } from '../sync/leaf-finder.ts';
import { PeerBook } from '../sync/peer-book.ts';
import { Puller } from '../sync/puller.ts';
import { SyncClient } from '../sync/sync-client.ts';
import { standingForksOf } from '../sync/followed.ts';
import { SyncServer } from '../sync/sync-server.ts';
import { TrustBoard } from '../trust/trust-board.ts';
import { Turns } from '../turns.ts';
import { VerdictService } from '../verdicts/verdict-service.ts';
import { CosignatureGatherer } from '../witness/cosignature-gatherer.ts';
import { cosigningReport } from '../witness/cosigning-report.ts';
import { CosignedLogs } from '../witness/cosigned-logs.ts';
import { leftNotes } from '../witness/left-mark.ts';
import { OutsideWitnesses } from '../witness/outside-witnesses.ts';
import { LogVisitor } from '../witness/log-visit.ts';
import { forked } from '../witness/witness-rule.ts';
import { Voucher } from '../witness/voucher.ts';
import { Witness } from '../witness/witness.ts';
import { WitnessDesk } from '../witness/witness-desk.ts';
import { preparerOf } from '../workers/preparer.ts';
import { SHARE_TURN } from '../writer/batch-share.ts';
import { ForgottenShare } from '../writer/forgotten-share.ts';
import { Background } from './background.ts';
import { Desks } from './desks.ts';
import { fenceFor, hasGivenUp } from './fencing.ts';
import { LogShelf } from './log-shelf.ts';
import { type NODE_DEFAULTS, type RegionNodeModules, type RegionNodeOptions } from './node-options.ts';
import { OwnLog } from './own-log.ts';
import { recognisedDirectly } from './own-logs-check.ts';
import { peopleOf, type PeopleModules } from './people.ts';
import { ShownTrees } from './shown-trees.ts';
import { Receipts } from './receipts.ts';
import { Signing } from './signing.ts';
import { upkeepOf } from './upkeep.ts';
import { LastSession } from './last-session.ts';
import { Voice } from './voice.ts';

export interface AssemblyModules extends RegionNodeModules {
  /** The whole, for what acts through it. */
  readonly node: PeopleModules['node'] & { readonly surelyPastS: number | undefined };
  /** Open once the node has started. */
  readonly registry: () => Registry;
  readonly stopping: AbortSignal;
}

export type NodeParts = ReturnType<typeof assemble>;

export function assemble(
  options: RegionNodeOptions & typeof NODE_DEFAULTS,
  { node, registry, stopping, ...modules }: AssemblyModules,
) {
  const { region, network } = options;
  const onTrouble = (error: unknown) => modules.onTrouble?.(error);
  const logs = () => shelf.logs;
  const background = new Background(stopping, { onTrouble });
  const store = new Store({ owner: `${region}.${network}` }, modules);
  const tables = modules.tables ?? store;
  const board = new TrustBoard({ home: region, network, policy: options.policy }, modules);
  const keeper = (of: string) => board.keepers.get(of);
  const keepers = () => board.keepers.values();
  const stateOf = (of: string) => keeper(of)?.state;
  /** Others should hear of a new checkpoint, and the home may recognise others by now. */
  const heedChange = (isNewer: boolean): void => {
    board.changed();
    if (isNewer) {
      // What is known now counts from now on: the clock may be set back before anybody asks for a verdict.
      board.settle();
      herald.news();
      copies.wakeProven();
      background.run(() => unproven.lookAgain());
    }
    if (!shelf.isFollowingAll) background.run(() => followAll());
  };
  /** By other states than before: what is kept may lean on another branch, or be against a region that is followed anew. */
  const followAll = async (): Promise<void> => {
    await shelf.followAll();
    await unheldForks.learn();
    if (options.onDemand !== true) evidence.heed();
  };
  const tellFork = (origin: string, evidence: ForkEvidence) => {
    herald.tellFork(evidence);
    // What a copy of this node, or a thief, signs beside us is another log: none of the two is to grow before the root has named one.
    const own = origin === trustLogOrigin(region, network) ? logs().get(origin) : undefined;
    if (own !== undefined && standingForksOf(own).length > 0) signing.contradicted();
  };
  // A region that recognises nobody has no witnesses to fence it.
  const isFenced = () => options.fenced !== undefined && recognisedDirectly(stateOf(region)).length > 0;
  const shownTrees = new ShownTrees({ isFenced }, { ...modules, store });
  const shelf: LogShelf = new LogShelf(options, {
    ...modules,
    store,
    board,
    shown: shownTrees,
    checkpointKey: modules.keys.checkpoint,
    isWriting: () => signing.isWriting,
    onChange: heedChange,
    onFork: tellFork,
    onMore: () => antiEntropy.wake(),
    onGrown: (origin) => {
      copies.wake(origin);
      background.run(() => unproven.lookAgain());
    },
    onSettled: (prefix) => {
      witness.reread(prefix);
      evidence.reread(prefix);
      background.run(() => unheldForks.reread(prefix));
      background.run(() => unproven.reread(prefix));
      return desks.reread(`${prefix}trust`);
    },
    onDamage: () => mender.wake(),
    onAhead: () => signing.contradicted(),
    ownLine: (home, held) => voucher.line(home, held),
    leave: (origin, isLeft, commit) => witness.leave(origin, isLeft, commit),
  });
  const book = new PeerBook(modules);
  const client = new SyncClient({ ...modules, book });
  const puller = new Puller({ client, clock: modules.clock, random: modules.random });
  const finder = new BranchFinder({ client });
  const reading = { ...modules, book, logs, shelf, client, puller, finder, keeper, onTrouble };
  const evidence: EvidenceBook = new EvidenceBook({
    ...modules,
    store,
    stateOf,
    named: new NamedStatements({ ...modules, keeper }),
    run: (work) => background.run(work),
    onNew: (file, name) => herald.tellEvidence(file, name),
    onRecount: () => copies.wakeProven(),
  });
  const unheldForks: UnheldForks = new UnheldForks({ ...reading, store, stateOf, onFork: tellFork });
  const unproven: UnprovenNotes = new UnprovenNotes({
    ...reading,
    store,
    keysOf: (origin) => shelf.keysOf(origin),
  });
  const copies: CopyWatch = new CopyWatch(options, { ...reading, store, stateOf, evidence });
  const witnesses = new WitnessWatch({ ...reading, evidence, keepers: () => board.keepers });
  const antiEntropy: AntiEntropy = new AntiEntropy(options, {
    ...reading,
    evidence,
    isMirrored: (peer) => options.mirrors?.includes(modules.regionOf(peer) ?? '') === true,
    onUnproven: ({ checkpoint, note }) => unproven.hear(checkpoint.origin, encodeNote(note)),
    onOtherTree: (peer, origin) => witnesses.look(peer, origin),
    onUnheld: (peer, { note, read }) =>
      visitor.meet(peer, { note, checkpoint: read.checkpoint }).catch(onTrouble),
  });
  const clocks: PeerClocks = new PeerClocks(options, {
    ...reading,
    regions: () => recognisedDirectly(keeper(region)?.state),
    witnessKeys: board.witnessKeys,
    catchUp: (peer) => antiEntropy.round(peer),
  });
  const witness: Witness = new Witness(
    { name: witnessName(region, network) },
    {
      ...modules,
      store,
      key: modules.keys.witness,
      timeBounds: clocks.bounds,
      isSilent: () => signing.isStandby,
      keysOf: (origin) => shelf.keysOf(origin),
      vet: (checkpoint) => {
        const { origin } = checkpoint;
        const held = logs().get(origin);
        const isForked = held === undefined ? unheldForks.isForked(origin) : standingForksOf(held).length > 0;
        return isForked ? { isFolded: true, objection: forked(origin) } : shelf.vet(checkpoint);
      },
      onFork: (origin, evidence) => void visitor.keepFork(origin, evidence).catch(onTrouble),
      copyOf: (origin) => logs().get(origin)?.tree,
      keepFork: (origin, evidence) => visitor.keepFork(origin, evidence),
    },
  );
  const witnessDesk = new WitnessDesk({ witness, unproven });
  const server = new SyncServer({
    ...modules,
    book,
    logs,
    attested: () => witness.attested(),
    unheldForks: (origin) => unheldForks.of(origin),
    left: (of) => leftNotes({ region: of, network }, store),
    evidence: (known) => evidence.besides(known),
  });
  const voucher = new Voucher({ ...modules, witness, store, onTrouble });
  const state = () => keeper(region)?.state;
  const people = peopleOf(options, {
    ...modules,
    store,
    tables,
    state,
    registry,
    sizes: () => shelf.issued,
    requireSide: () => signing.requireSide(),
    node,
  });
  const visitor: LogVisitor = new LogVisitor({ ...reading, store, witness, forks: unheldForks });
  const shareTurns = new Turns();
  const forgetNamed = (name: string, onPerson?: NamedForgettingOptions['onPerson']) => {
    const isCountedNow = (place: Place) => isCounted(place, { ...modules, trust: state });
    return registry().forgetNamed(name, { isCounted: isCountedNow, onPerson });
  };
  const desks: Desks = new Desks(options, {
    ...reading,
    turns: shareTurns,
    witnessDesk,
    store,
    keysOf: (origin) => shelf.keysOf(origin),
    isWitness: () => !signing.isStandby,
    isStandby: () => signing.isFollowing,
    giveWay: (origin, index, write) => signing.giveWay(origin, index, write),
    registry,
    forgetNamed: (name, atS) =>
      forgetNamed(name, async (subject, place) => {
        await modules.noteForgetting?.(place);
        await people.once.marks.forgotByOther(subject, atS);
      }),
    verify: (text, context) => verdicts.verify(text, context),
  });
  const forgottenShare = new ForgottenShare(options, {
    ...reading,
    isOwn: (peer) => modules.regionOf(peer) === region,
    registry,
    forgetHere: (name) => shareTurns.take(SHARE_TURN, () => forgetNamed(name)),
    isLogged: async ({ log, index }) =>
      index < (await shelf.openTree(attestationLogOrigin(region, network, log))).size,
    stopping,
  });
  const herald = new Herald(
    {
      ...options,
      witnessName: witnessName(region, network),
      outsideNames: options.policy?.outside.map(({ name }) => name) ?? [],
      gatherMs: 20,
    },
    { ...modules, voucher, keepers, onTrouble },
  );
  const { mender, scrub } = upkeepOf(options, { ...reading, keepers, store });
  const lastSession = new LastSession({ store });
  const fence = fenceFor(options, {
    ...reading,
    store,
    onReign: (before) => lastSession.begin(before),
    onHeld: (session) => lastSession.hold(session),
  });
  const preparer = preparerOf(options, modules);
  const signing: Signing = new Signing(options, {
    ...reading,
    prepare: preparer.prepare,
    fence,
    watch: people.watch,
    gate: people.gate,
    sweep: async () => {
      await people.overrides.beside.finish().finally(() => people.overrides.sweep());
    },
    takeBack: people.takeBack,
    store,
    mender,
    shown: shownTrees,
    registry,
    clocks,
    herald,
    background,
    stopping,
  });
  const voice = new Voice({
    ...modules,
    side: () => signing.side,
    assent: fence?.writership.assent,
    isNext: () => lastSession.isNext && !hasGivenUp(fence),
    onSpeak: () => lastSession.speak(),
  });
  const lookup = new Lookup(options, {
    ...reading,
    state,
    store,
    tables,
    signer: modules.keys.trustLog,
    evidence,
    timeStanding: () => clocks.report.standing,
    surelyPastS: () => node.surelyPastS,
    isSilent: () => voice.isSilent,
    peers: () => client.peers(),
    trust: () => board.trust,
    onFault: (peer, fault) => book.fault(peer, fault),
    onTurned: (turned) => noteTurned(people.watch, turned),
  });
  const attestationLogs = () =>
    shelf.ownLogs.filter((log) => log !== logs().get(shelf.home.origin) && log.tree.trouble === undefined);
  const cosigned = new CosignedLogs({
    ...reading,
    store,
    logs: attestationLogs,
    witnessKeys: board.witnessKeys,
    trust: () => board.trust,
  });
  const gatherer = new CosignatureGatherer(options, {
    ...reading,
    cosigned,
    logs: attestationLogs,
    isWriting: () => signing.side !== undefined,
    compare: (peer) => antiEntropy.round(peer),
  });
  const outside = new OutsideWitnesses(options, { ...reading, keepers, post: modules.httpPost });
  const cosigning = { cosigned, gatherer, logs: attestationLogs, trust: () => board.trust };
  const leaves = new LeafFinder(reading);
  const shown = new LeafWatch(options, {
    ...reading,
    stateOf,
    isWriting: (origin) => {
      const log = logs().get(origin);
      return signing.isWriting && log instanceof OwnLog && log.waiting === undefined;
    },
    run: (work) => background.run(work),
  });
  const verdicts = new VerdictService({
    ...modules,
    trust: () => board.trust,
    leafProof: (place) => leaves.find(place),
    onShown: shown.hold,
    lookup,
  });
  return {
    background,
    store,
    tables,
    board,
    shelf,
    client,
    book,
    puller,
    evidence,
    unheldForks,
    unproven,
    copies,
    antiEntropy,
    clocks,
    witness,
    witnessDesk,
    server,
    voucher,
    people,
    joinings: new JoiningBook({ store }),
    visitor,
    cosigned,
    gatherer,
    outside,
    receipts: new Receipts({ ...modules, shelf, board, cosigned }),
    cosigning: () => cosigningReport({ ...modules, ...cosigning }),
    desks,
    forgottenShare,
    herald,
    mender,
    scrub,
    /** What begins rounds by itself, in the order in which it is started. */
    rounds: [antiEntropy, clocks, herald, scrub, mender, lookup, copies, preparer, gatherer, outside],
    fence,
    lastSession,
    preparer,
    signing,
    lookup,
    shown,
    verdicts,
  };
}
