/** How many vouch for the regions that are recognised, and who does, as commands read it. */
import { z } from 'zod';
import { assessKnowledge, type Trust } from '../../protocol/verdict/knowledge.ts';
import { type WitnessCount } from '../../protocol/verdict/verdict.ts';

/** Of what verdicts lean on; `witnessedBy` of the newest checkpoint, by all regions that are followed, recognised or not. */
export interface Vouched extends WitnessCount {
  readonly region: string;
  readonly witnessedBy: readonly string[];
}

const counts = z.object({
  counted: z.number(),
  needed: z.number(),
  of: z.number(),
  by: z.literal('policy').exactOptional(),
});

/** Of what `GET /v1/status` tells. */
const statusSchema = z.object({
  regions: z.array(z.object({ region: z.string(), knowledge: z.object({ witnesses: counts }).optional() })),
  vouching: z.array(z.object({ region: z.string(), witnessedBy: z.array(z.string()).default([]) })),
});

/** By the status of a node that runs. */
export function vouchedOfStatus(status: unknown): Vouched[] {
  const { regions, vouching } = statusSchema.parse(status);
  return regions.flatMap(({ region, knowledge }) => {
    if (knowledge === undefined) return [];
    const { witnessedBy = [] } = vouching.find((one) => one.region === region) ?? {};
    return [{ region, ...knowledge.witnesses, witnessedBy }];
  });
}

/** By what a verifier knows. */
export function vouchedOfTrust(trust: Trust, nowS: number): Vouched[] {
  return [...trust.regions.values()].flatMap(({ state: { region }, cosignatures }) => {
    const known = assessKnowledge(trust, region, nowS);
    if (known === undefined) return [];
    const witnessedBy = [...new Set(cosignatures.flatMap((one) => one.region ?? []))];
    return [{ region, ...known.witnesses, witnessedBy }];
  });
}
