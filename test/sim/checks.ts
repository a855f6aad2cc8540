/** The invariants that are looked at as a whole: now and then, and after the healing. */
import { ReferenceTree } from '../support/reference-tree.ts';
import {
  demandAllLogged,
  demandAllSignedHolds,
  demandPrefixOrder,
  demandTiles,
  type DiskLogs,
  logsOn,
  sameLog,
  tilesOn,
} from './audit.ts';
import { demand, Violation } from './invariant.ts';
import { type Machine } from './machine.ts';
import { type World } from './world.ts';

/** Waits of one process at once: its loops, what it asks of others, and what it looks at for them. */
const WAITS_MAX = 512;
/** Requests that one process has under way: one round with each peer, pulls, and messages that make it ask. */
const ASKING_MAX = 400;
/** Requests that a process answers at once. */
const ANSWERING_MAX = 64;

/** To be called now and then: what no process may exceed at any moment. */
export function demandBounds({ machines, network }: World): void {
  for (const machine of machines) {
    const { name, waits } = machine;
    const { asking, answering } = network.loadOf(name);
    demand(waits <= WAITS_MAX, 'bounds', () => `${name} has ${waits} waits`);
    demand(asking <= ASKING_MAX, 'bounds', () => `${name} has ${asking} requests under way`);
    demand(answering <= ANSWERING_MAX, 'bounds', () => `${name} answers ${answering} requests at once`);
  }
}

/** What has to hold of the disks at any moment, whatever is broken. */
export function demandOrder({ honest, machines, trustLogOf, attestationLogOf }: World): void {
  const disks = new Map(machines.map((machine) => [machine.name, logsOf(machine)]));
  for (const { region } of honest) {
    for (const origin of [trustLogOf(region), attestationLogOf(region)]) {
      const copies = [...disks].map(([node, logs]) => [node, logs.get(origin) ?? []] as const);
      demandPrefixOrder(origin, new Map(copies.filter(([node]) => honest.some((one) => one.name === node))));
    }
  }
}

/** After the healing: all that was ever signed and acknowledged holds, and all honest nodes have the same. */
export function demandAgreement({ honest, history, signed, trustLogOf, attestationLogOf }: World): void {
  const disks = new Map(honest.map((machine) => [machine.name, logsOf(machine)]));
  const tiles = new Map(honest.map((machine) => [machine.name, tilesOn(machine.medium)]));
  for (const { region } of honest) {
    for (const origin of [trustLogOf(region), attestationLogOf(region)]) {
      const own = disks.get(region)?.get(origin) ?? [];
      demandAllSignedHolds(origin, own, signed);
      demandAllLogged(origin, own, history.codes);
      const tree = new ReferenceTree(own);
      for (const [node, logs] of disks) {
        const copy = logs.get(origin);
        demand(sameLog(own, copy), 'agreement', () => {
          return `${node} holds ${copy?.length ?? 0} entries of ${origin}, ${region} ${own.length}`;
        });
        demandTiles(origin, tiles.get(node)?.get(origin) ?? new Map<string, Uint8Array>(), tree);
      }
    }
  }
}

/** Where honest nodes hold two stories of a liar's log, all of them have the proof. */
export function demandCaught({ honest, liars, trustLogOf }: World): void {
  const disks = new Map(honest.map((machine) => [machine.name, logsOf(machine)]));
  for (const { region } of liars) {
    const origin = trustLogOf(region);
    const copies = new Map([...disks].map(([node, logs]) => [node, logs.get(origin) ?? []]));
    if (isInPrefixOrder(origin, copies)) continue;
    for (const { name: holder, node } of honest) {
      const isCaught = [...(node?.status.forked ?? []), ...(node?.status.disowned ?? [])].includes(origin);
      demand(isCaught, 'caught forking', () => `${holder} does not know that ${origin} has forked`);
    }
  }
}

/** No honest log is held to have forked by an honest node, and nothing else is held to be proven against an honest region. */
export function demandNoFraming({ honest }: World): void {
  for (const { name, node } of honest) {
    for (const origin of node?.status.forked ?? []) {
      const isHonest = honest.some((other) => origin.startsWith(`${other.region}.`));
      demand(!isHonest, 'no framing', () => `${name} holds that ${origin} has forked`);
    }
    for (const { kind, region: accused, origin } of node?.status.accusations ?? []) {
      const isHonest = honest.some((other) => other.region === accused);
      demand(!isHonest, 'no framing', () => `${name} holds ${kind} of ${origin} against ${accused}`);
    }
  }
}

/** To be called now and then: what a process holds against its peers is gone with it. */
export function demandNoBlame({ honest }: World): void {
  for (const { name, node } of honest) {
    for (const { name: other } of honest) {
      const record = node?.peerBook.recordOf(other);
      const isBlamed = (record?.faultsInAll ?? 0) > 0;
      demand(!isBlamed, 'no blame', () => `${name} holds ${record?.lastFault} against ${other}`);
    }
  }
}

function logsOf(machine: Machine): DiskLogs {
  return logsOn(machine.medium);
}

function isInPrefixOrder(...copies: Parameters<typeof demandPrefixOrder>): boolean {
  try {
    demandPrefixOrder(...copies);
    return true;
  } catch (error) {
    if (error instanceof Violation) return false;
    throw error;
  }
}
