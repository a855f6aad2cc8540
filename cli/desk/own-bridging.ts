/** Codes for those of other regions, given by the command itself. */
import { Bridge } from '../../node/bridging/bridge.ts';
import { type IssueRequest } from '../../node/issuing/issuer.ts';
import { isNodeError } from '../../node/node-error.ts';
import { type Action } from '../../node/operators/acting.ts';
import { type RegionModules } from '../../node/region/modules.ts';
import { type Region } from '../../node/region/region.ts';
import { type VerdictContext } from '../../protocol/verdict/verdict.ts';
import { judgeText } from '../judging.ts';
import { issuedCodeOf, type IssuedCode } from '../people/codes-file.ts';
import { holdingsOfRegion } from '../snapshot-file.ts';
import { type BridgedCode } from './desk.ts';

export interface BridgingModules extends RegionModules {
  readonly region: Region;
  /** Does it in somebody's name. */
  readonly act: <T>(action: Action, work: () => Promise<T>) => Promise<T>;
}

/** A code for each text, or why there is none, in their order. Rejects as `Desk.bridge`. */
export async function bridgeHere(
  texts: readonly string[],
  onDone: (done: number) => void,
  { region, act, ...modules }: BridgingModules,
): Promise<readonly BridgedCode[]> {
  const { sha256, nowS } = modules;
  const { node, config } = region;
  // Without a process that hears from others, what they have published says most.
  const { trust } = (await holdingsOfRegion(region.layout.path, modules)).holdings;
  const verify = (text: string, context: VerdictContext) =>
    judgeText(modules, text, { trust, nowS: nowS(), context: { ...context, mode: 'offline' } });
  const { overrides } = node;
  const bridge = new Bridge(config, { sha256, nowS, verify, overrides, trust: () => trust });
  const orders: (IssueRequest | { readonly refused: string })[] = [];
  for (const text of texts) {
    orders.push(await bridge.requestFor(text).catch(refusalOf));
    onDone(orders.length);
  }
  const requests = orders.flatMap((order) => ('refused' in order ? [] : [order]));
  const action = { action: 'bridge/batch', needs: 'issue', count: requests.length } as const;
  const issued = (await act(action, () => node.issueAll(requests))).map((one, i) =>
    issuedCodeOf(sha256, requests[i]?.subject ?? '', one),
  );
  await region.publish();
  const next = issued.values();
  return orders.map((order) => ('refused' in order ? order : (next.next().value as IssuedCode)));
}

function refusalOf(error: unknown): { readonly refused: string } {
  if (isNodeError(error, 'REFUSED')) return { refused: error.message };
  throw error;
}
