/** The invariants that are looked at as a whole: now and then, and after the healing. */
import { type Machine } from './machine.ts';
import {
  demandAllLogged,
  demandAllSignedHolds,
  demandPrefixOrder,
  type DiskLogs,
  logsOn,
  sameLog,
} from './audit.ts';
import { demand } from './invariant.ts';
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
    const { region, waits } = machine;
    const { asking, answering } = network.loadOf(region);
    demand(waits <= WAITS_MAX, 'bounds', () => `${region} has ${waits} waits`);
    demand(asking <= ASKING_MAX, 'bounds', () => `${region} has ${asking} requests under way`);
    demand(answering <= ANSWERING_MAX, 'bounds', () => `${region} answers ${answering} requests at once`);
  }
}

/** What has to hold of the disks at any moment, whatever is broken. */
export function demandOrder({ honest, machines, trustLogOf, attestationLogOf }: World): void {
  const disks = new Map(machines.map((machine) => [machine.region, logsOf(machine)]));
  for (const { region } of honest) {
    for (const origin of [trustLogOf(region), attestationLogOf(region)]) {
      const copies = [...disks].map(([node, logs]) => [node, logs.get(origin) ?? []] as const);
      demandPrefixOrder(
        origin,
        new Map(copies.filter(([node]) => honest.some((one) => one.region === node))),
      );
    }
  }
}

/** After the healing: all that was ever signed and acknowledged holds, and all honest nodes have the same. */
export function demandAgreement({ honest, history, signed, trustLogOf, attestationLogOf }: World): void {
  const disks = new Map(honest.map((machine) => [machine.region, logsOf(machine)]));
  for (const { region } of honest) {
    for (const origin of [trustLogOf(region), attestationLogOf(region)]) {
      const own = disks.get(region)?.get(origin) ?? [];
      demandAllSignedHolds(origin, own, signed);
      demandAllLogged(origin, own, history.codes);
      for (const [node, logs] of disks) {
        const copy = logs.get(origin);
        demand(sameLog(own, copy), 'agreement', () => {
          return `${node} holds ${copy?.length ?? 0} entries of ${origin}, ${region} ${own.length}`;
        });
      }
    }
  }
}

/** No honest log is held to have forked by an honest node. */
export function demandNoFraming({ honest }: World): void {
  for (const { region, node } of honest) {
    for (const origin of node?.status.forked ?? []) {
      const isHonest = honest.some((other) => origin.startsWith(`${other.region}.`));
      demand(!isHonest, 'no framing', () => `${region} holds that ${origin} has forked`);
    }
  }
}

function logsOf(machine: Machine): DiskLogs {
  return logsOn(machine.medium);
}
