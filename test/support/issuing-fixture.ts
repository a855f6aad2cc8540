/** A region that issues and revokes, on a faulty medium: trust log, attestation logs, registry, every signature on record. */
import assert from 'node:assert/strict';
import { parseAttestation } from '../../protocol/code/attestation.ts';
import { type Fields } from '../../protocol/code/field.ts';
import { attestationLogOrigin, trustLogOrigin } from '../../protocol/log/origin.ts';
import { opensslBackEnd } from '../../node/crypto/openssl.ts';
import { scryptInPool } from '../../node/crypto/scrypt.ts';
import { ForgottenMarks } from '../../node/issuing/forgotten-marks.ts';
import { type IssuerModules, type IssuerOptions, Issuer } from '../../node/issuing/issuer.ts';
import { prepareHere } from '../../node/issuing/preparing.ts';
import { StagingGate } from '../../node/issuing/staging-gate.ts';
import { type LogTree } from '../../node/log/log-tree.ts';
import { Sequencer, type SequencerOptions } from '../../node/log/sequencer.ts';
import { type TrustLogItem, TrustLogWork } from '../../node/log/trust-log-work.ts';
import { type PrivateTables } from '../../node/registry/private-tables.ts';
import { Registry } from '../../node/registry/registry.ts';
import { Revoker } from '../../node/revoking/revoker.ts';
import { type Store } from '../../node/store/store.ts';
import { checkpointPlace, Machine, recorded } from './log-fixture.ts';
import { sha256 } from './primitives.ts';
import { RegionFixture, START_S } from './region-fixture.ts';
import { seeded } from './seeded.ts';

export const REGISTRY_KEY = sha256(new TextEncoder().encode('registry key'));
const { verifySignature } = opensslBackEnd;

/** Unpredictable bytes that a seed repeats. */
export function seededBytes(random: () => number): (length: number) => Uint8Array {
  return (length) => Uint8Array.from({ length }, () => Math.floor(random() * 256));
}

/** The status of a fixture's person; `hours` tells persons apart. */
export function greenFields(hours = 24): Fields {
  return {
    status: {
      colour: 'green',
      measure: 'none',
      expiresAtS: START_S + hours * 3_600,
      ruleId: 'baseline',
      ruleVersion: 1,
    },
  };
}

/** The machine of a region: what outlives its processes. */
export class RegionMachine extends Machine {
  readonly region = new RegionFixture();
  readonly bytes;

  constructor(options: ConstructorParameters<typeof Machine>[0] = {}) {
    super(options);
    this.bytes = seededBytes(seeded((options?.seed ?? 1) + 1_000));
    this.clock.nowAtMs = START_S * 1_000;
  }

  get attestKey() {
    const { keyId, ...signer } = this.region.keys.attest;
    const placeOf = (message: Uint8Array) => {
      // Behind its label the message ends in the payload: region, log, index, hour, commitment.
      const text = Buffer.from(message).toString('latin1');
      const log = /attest\/(\S{7}(?:\.\d)?)/.exec(text)?.[1];
      return `${log} ${Buffer.from(message).subarray(-44, -39).toString('hex')}`;
    };
    return { ...recorded(signer, this.record, placeOf), keyId };
  }

  get checkpointSigner() {
    return recorded(this.region.keys.checkpoint, this.record, checkpointPlace);
  }
}

export interface RegionProcess {
  readonly store: Store;
  readonly tables: PrivateTables;
  readonly registry: Registry;
  readonly marks: ForgottenMarks;
  readonly gate: StagingGate;
  readonly issuer: Issuer;
  readonly revoker: Revoker;
  readonly trustLog: Sequencer<TrustLogItem>;
  readonly openTree: (origin: string) => Promise<LogTree>;
  readonly treeOf: (log: string) => Promise<LogTree>;
  readonly stop: () => Promise<void>;
}

/** Its trust log begins with the entries of the fixture; what is logged there is folded before it is acknowledged. */
export async function startRegion(
  machine: RegionMachine,
  options: SequencerOptions & Pick<IssuerOptions, 'fenced'> = {},
  modules: Partial<IssuerModules> = {},
): Promise<RegionProcess> {
  const { region, clock, bytes: random } = machine;
  const store = await machine.openStore({ openDelaysMs: [0, 1], retryMs: 5 });
  const trees = new Map<string, Promise<LogTree>>();
  const openTree = (origin: string) => {
    const tree = trees.get(origin) ?? machine.openTree(store, origin);
    trees.set(origin, tree);
    return tree;
  };
  const sequencing = { gatherMs: 0, retryMs: 10, ...options };
  const shared = { store, clock, sha256, verifySignature, checkpointKey: () => machine.checkpointSigner };
  const origin = trustLogOrigin(region.region, region.network);
  const trustLogKey = () => region.keys['trust-log'];
  const work = new TrustLogWork({ origin }, { verifySignature, trustLogKey });
  const tree = await openTree(origin);
  const trustLog = new Sequencer<TrustLogItem>(sequencing, { ...shared, tree, work });
  await trustLog.start();
  if (tree.size === 0) await Promise.all(region.entries.map((entry) => trustLog.submit({ entry })));
  const submit = async (item: TrustLogItem) => {
    const receipt = await trustLog.submit(item);
    for await (const entry of tree.reader.entries(region.entries.length, tree.size)) {
      assert.equal(region.offer(entry), undefined);
    }
    return receipt;
  };
  const tables = machine.tables ?? store;
  const registry = await Registry.open({ key: REGISTRY_KEY }, { tables, random });
  const marks = new ForgottenMarks({ registryKey: REGISTRY_KEY }, { tables, clock, random });
  const gate = new StagingGate({ marks });
  const trust = () => region.state;
  const key = machine.attestKey;
  const issuer = new Issuer(
    { region: region.region, network: region.network, ...sequencing },
    {
      ...shared,
      random,
      registry,
      gate,
      tables: machine.tables,
      openTree,
      trust,
      prepare: (items) => prepareHere(items, { sha256, random, scrypt: scryptInPool }),
      keys: { inForce: () => key, withId: (keyId) => (keyId === key.keyId ? key : undefined) },
      announce: async (log) => {
        await submit({ build: () => ({ statement: { kind: 'log', log, minimum: 0 } }) });
      },
      ...modules,
    },
  );
  await issuer.start();
  const revoker = new Revoker({ gatherMs: 0 }, { store, clock, trust, submit });
  await revoker.start();
  const stop = async () => {
    await revoker.stop();
    await issuer.stop();
    await trustLog.stop();
    for (const open of await Promise.allSettled(trees.values())) {
      if (open.status === 'fulfilled') open.value.close();
    }
    await store.stop();
  };
  const treeOf = (log: string) => openTree(attestationLogOrigin(region.region, region.network, log));
  return { store, tables, registry, marks, gate, issuer, revoker, trustLog, openTree, treeOf, stop };
}

/** The attestations of a log, each at the index that it states. */
export async function attestationsOf(tree: LogTree) {
  const attestations = [];
  for await (const entry of tree.reader.entries(0, tree.size)) {
    const attestation = parseAttestation(entry);
    assert.equal(attestation.index, attestations.length);
    attestations.push(attestation);
  }
  return attestations;
}
