/** Whether a region's directory holds all that a node acknowledged before it was killed, starved or damaged. */
import assert from 'node:assert/strict';
import { openAuditSource } from '../../node/audit/open-source.ts';
import { auditRegion } from '../../node/audit/region-audit.ts';
import { type RegionNode } from '../../node/core/region-node.ts';
import { type Acknowledged, hashOf, openAlone, realModules } from './issuing-child.ts';

/** Everybody who heard of a code has it: at its place in the log, and in the registry. */
export async function assertCodesHeld(
  node: RegionNode,
  acknowledged: readonly Acknowledged[],
): Promise<void> {
  const { heldCodes } = node;
  for (const { subject, log, index, hash } of acknowledged) {
    const held = await heldCodes.ofSubject(subject);
    assert.deepEqual(
      held.map((code) => ({ log: code.log, index: code.index, hash: hashOf(code.attestation) })),
      [{ log, index, hash }],
      subject,
    );
  }
}

/** The same of a directory, whose node has to sign again, too. */
export async function assertHeld(path: string, acknowledged: readonly Acknowledged[]): Promise<void> {
  const region = await openAlone(path);
  try {
    await region.node.whenWriting();
    await assertCodesHeld(region.node, acknowledged);
  } finally {
    await region.close();
  }
}

/** The whole store, as an auditor sees it. Returns how many entries its logs have. */
export async function assertSound(path: string, signatures: boolean): Promise<number> {
  const modules = await realModules();
  const source = await openAuditSource(path);
  try {
    const options = { ...source.owner, signatures, nowS: modules.nowS(), faultsMax: 10 };
    const { faults, logs } = await auditRegion(options, { ...modules, source });
    assert.deepEqual(faults, []);
    return logs.reduce((sum, { size }) => sum + size, 0);
  } finally {
    await source.close();
  }
}

/** No place was given to two. */
export function assertPlacedOnce(acknowledged: readonly Acknowledged[]): void {
  const places = new Set(acknowledged.map(({ log, index }) => `${log} ${index}`));
  assert.equal(places.size, acknowledged.length, 'an index was given to two');
}
