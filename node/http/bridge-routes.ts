/** Bridging for the operator of a platform: a stream of codes that others have issued, with a stream of answers. */
import { z } from '@hono/zod-openapi';
import { CODE_CHARS_MAX } from '../../protocol/limits.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { Bridge } from '../bridging/bridge.ts';
import { type RegionNode } from '../core/region-node.ts';
import { codeTextOf, fieldsUsed } from '../issuing/held-codes.ts';
import { type AdminRoute } from './admin-route.ts';
import { issuedCode } from './admin-schemas.ts';
import { checked } from './input.ts';
import { answersTo } from './issue-routes.ts';

export interface BridgeRoutesModules {
  readonly node: Pick<RegionNode, 'issue' | 'once' | 'overrides' | 'trust' | 'verify'>;
  readonly sha256: Sha256;
  readonly nowS: () => number;
}

/** A character of a text takes four bytes at most, and six as an escape of JSON. */
const ORDER_BYTES_MAX = 32_768;

const bridgeOrder = z
  .strictObject({ code: z.string().min(1).max(CODE_CHARS_MAX) })
  .openapi('BridgeOrder', { description: 'A code of another region, as scanned.' });

const bridgedCode = issuedCode.extend({ subject: z.string() }).openapi('BridgedCode');

export function bridgeRoutes(
  { region }: { readonly region: string },
  { node, sha256, nowS }: BridgeRoutesModules,
): AdminRoute[] {
  const bridge = new Bridge(
    { region },
    {
      sha256,
      nowS,
      trust: () => node.trust,
      verify: (text, context) => node.verify(text, context),
      overrides: node.overrides,
    },
  );
  const issue = async (text: string): Promise<z.infer<typeof bridgedCode>> => {
    const ordered = await node.once.marks.now();
    const request = await bridge.requestFor(text);
    const issued = await node.issue({ ...request, ordered });
    const { subject, fields } = request;
    const { log, index } = issued;
    // An override may have been confirmed since.
    await node.overrides.requireUnbound({ subject, status: fields.status, log, index }, false);
    const { expiresAtS } = fields.status;
    return { subject, log, index, code: codeTextOf(sha256, issued, fieldsUsed(issued.openings)), expiresAtS };
  };
  return [
    {
      method: 'post',
      path: '/v1/bridge/batch',
      needs: 'issue',
      summary: 'Bridges codes of other regions: an attestation of this one for each that passes here',
      description:
        'JSON lines, a BridgeOrder each, give JSON lines in their order, each a BridgedCode or a Problem under `problem`, `REFUSED` for a code that cannot be bridged.',
      request: { body: { content: { 'application/jsonl': { schema: bridgeOrder } }, required: true } },
      answer: {
        description: 'A line for each line',
        content: { 'application/jsonl': { schema: bridgedCode } },
      },
      order: (context) => {
        const answer = (line: unknown) => issue(checked(bridgeOrder, line).code);
        const options = { orderBytesMax: ORDER_BYTES_MAX };
        return { lines: (tally) => answersTo(context.env.incoming, answer, { ...options, tally }) };
      },
    },
  ];
}
