/** Codes that the command itself issues, having opened the region: all in one batch, or none. */
import { IssueGate } from '../../node/abuse/issue-gate.ts';
import { problemOf } from '../../node/http/problem.ts';
import { type Action, type Tally } from '../../node/operators/acting.ts';
import { type Region } from '../../node/region/region.ts';
import { issuedCodeOf, type IssuedCode } from '../people/codes-file.ts';
import { type Person } from '../people/person.ts';
import { type Requested, requestsOf } from '../people/request.ts';
import { type BatchOrder, type IssueOptions } from './desk.ts';
import { PartlyIssued } from './node-answers.ts';
import { type OwnDeskModules } from './own-desk.ts';

export interface IssuingModules extends Pick<OwnDeskModules, 'nowS' | 'sha256' | 'meter'> {
  readonly region: Region;
  /** Does it in somebody's name. */
  readonly act: <T>(action: Action, work: (tally: Tally) => Promise<T>) => Promise<T>;
}

/** Rejects as `Desk.issue`; where somebody is refused, and is not to be left out, nothing is issued. */
export async function issueHere(
  all: readonly Person[],
  { onHashed, onSigned, leavesOut }: IssueOptions,
  order: BatchOrder | undefined,
  { region, nowS, sha256, meter, act }: IssuingModules,
): Promise<readonly IssuedCode[]> {
  const { node } = region;
  const people = await stillMeant(all, order, region);
  if (order !== undefined && people.length === 0) return [];
  let [signed, hashed] = [0, 0];
  meter.onSigned = () => onSigned(++signed);
  meter.onHashed = (documents) => onHashed((hashed += documents));
  const action = { action: 'issue/batch', needs: 'issue', count: people.length } as const;
  const { codes, refused } = await act(action, async (tally) => {
    const asked = await requestsOf(people, order?.atS ?? nowS(), gateOf(region, nowS));
    const { requested, refused } = asked;
    if (refused.length > 0 && (leavesOut !== true || requested.length === 0)) throw partly([], asked);
    [tally.done, tally.failed] = [requested.length, refused.length];
    const issued = await issueAll(requested, node);
    tally.figures = { stricter: stricterIn(requested) };
    const codes = issued.map((one, i) => issuedCodeOf(sha256, requested[i]?.person.subject ?? '', one));
    return { codes, refused };
  });
  // A code is given out once its place in the log is public.
  await region.publish();
  if (refused.length > 0) throw partly(codes, { requested: codes, refused });
  return codes;
}

function stricterIn(requested: Requested['requested']): number {
  return requested.filter(({ request: { fields } }) => fields.status.colour !== 'green').length;
}

/** Who has no code of this order yet, and was not forgotten since it was given first. */
async function stillMeant(
  all: readonly Person[],
  order: BatchOrder | undefined,
  { node }: Region,
): Promise<readonly Person[]> {
  const without = all.filter(({ subject }) => order?.has.has(subject) !== true);
  if (order?.since === undefined) return without;
  const subjects = without.map(({ subject }) => subject);
  const forgotten = await node.once.marks.since(subjects, order.since);
  return without.filter(({ subject }) => !forgotten.has(subject));
}

function gateOf(region: Region, nowS: () => number): Pick<IssueGate, 'basisOf'> {
  const { node, operators } = region;
  const gate = new IssueGate({
    state: () => region.state,
    areNamed: () => operators.areNamed,
    nowS,
    weigh: (...asked) => node.life.weigh(...asked),
  });
  return { basisOf: (order) => gate.basisOf(order) };
}

/** Worse news by rules revoke what is looser first, and are looked at again once they are there. */
async function issueAll(requested: Requested['requested'], node: Region['node']) {
  const { beside } = node.overrides;
  const codes = requested.map(({ request: { subject, fields } }) => ({ subject, status: fields.status }));
  const isByRules = (i: number) => requested[i]?.person.told !== undefined;
  const byRules = codes.filter((_, i) => isByRules(i));
  const havePlace = await beside.makePlace(byRules);
  const takingPlace = new Set(byRules.filter((_, i) => havePlace[i]));
  const issued = await node.issueAll(
    requested.map(({ request }, i) => {
      const isReplacement = takingPlace.has(codes[i] as (typeof codes)[number]);
      const also = isByRules(i) ? beside.markOf(request.fields.status) : undefined;
      return { ...request, isReplacement, toHandOver: true, ...(also && { also }) };
    }),
  );
  const given = issued.flatMap(({ log, index }, i) => {
    const code = isByRules(i) ? codes[i] : undefined;
    return code ? [{ ...code, marked: { log, index } }] : [];
  });
  await beside.lookAgain(given);
  return issued;
}

function partly(
  issued: readonly IssuedCode[],
  { requested, refused }: { readonly requested: readonly unknown[] } & Pick<Requested, 'refused'>,
): PartlyIssued {
  return new PartlyIssued({
    issued,
    of: requested.length + refused.length,
    problem: refused[0] && problemOf(refused[0].error, 'operator'),
    refused: refused.map(({ person, error }) => ({ subject: person.subject, reason: error.message })),
    isRefused: issued.length === 0,
  });
}
