/**
 * Whether what the region itself knows of people contradicts the facts on which somebody issues to them by rules: who leaves a fact out
 * gets no looser colour for that. Two questions are asked: what would the region itself decide on what people declared and lists say, and
 * what do the rules give on what is told together with what lists say? A declaration that is stored is never mixed with another.
 */
import { type Status } from '../../protocol/code/status.ts';
import { type RuleValue } from '../../protocol/rules/evaluate.ts';
import { type Facts, readFacts } from '../../protocol/rules/facts.ts';
import { decide } from '../../protocol/rules/issuing.ts';
import { type RuleSet } from '../../protocol/rules/rule-set.ts';
import { type Ordered } from '../issuing/forgotten-marks.ts';
import { documentForm, type Identity, nameForm, numberForm } from '../lists/identity.ts';
import { FACT_NAMES, KINDS, type ListKind } from '../lists/kinds.ts';
import { type Found, SOUGHT_MAX } from '../lists/list-view.ts';
import { type Lists } from '../lists/lists.ts';
import { everyKindOf, tellsPaper, withPaper } from '../lists/paper-document.ts';
import { isNodeError } from '../node-error.ts';
import { type Registry, type RegistryRecord } from '../registry/registry.ts';
import { type Claim, type Contradiction, type Weighed } from './claim.ts';
import { DamagedDossier } from './damaged-dossier.ts';
import { type Dossier, newestByRules } from './dossier.ts';
import { type DossierShelf, type ShelvedDossier } from './dossier-shelf.ts';
import { earlierAt } from './earlier.ts';
import { bindingOf, isStricter, type JudgedAt, stricterBy } from './judging.ts';
import { type Known, together } from './known.ts';
import { byPapers, type Looked } from './told-papers.ts';
import { type Having, isKnown, isTurned, withForgotten } from './turned.ts';

export interface ContradictionModules {
  readonly shelf: Pick<DossierShelf, 'read' | 'pseudonymOf' | 'isNameShared'>;
  readonly lists: Pick<Lists, 'view' | 'inForce'>;
  readonly registry: Pick<Registry, 'manualOf' | 'runningOf' | 'papers'>;
  /** Whether the region has named operators: from then on nobody gives a colour alone. */
  readonly areNamed: boolean;
  /** Whether there is more of these people's codes than can be read. */
  readonly areUnread?: boolean;
  /** As `StagingGate.refusalToStage`. */
  readonly refusalToStage: (subject: string, ordered: Ordered) => unknown;
  /** As `ForgottenMarks.lately`. */
  readonly lately: (subjects: readonly string[]) => Promise<ReadonlySet<string>>;
  readonly isRevoked: JudgedAt['isRevoked'];
  /** The rules by which people who declare are judged here, whatever rules an order names; several where nobody said which. */
  readonly rulesForPeople: (nowS: number) => readonly RuleSet[];
  /** What is known of people who declared, in their order. */
  readonly knownOf: (
    persons: readonly ShelvedDossier[],
    at: { readonly ruleSet: RuleSet; readonly nowS: number },
  ) => Promise<readonly Known[]>;
}

interface Own extends Pick<Known, 'doubts' | 'areStaysUnknown'> {
  /** What people who declared are judged by here; undefined for others. */
  readonly facts?: Facts;
  /** What rules for people give on what is known here, or demand at least, where an order names others. */
  readonly byPeople: readonly (Status | undefined)[];
  /** What lists alone say. */
  readonly listed: readonly (readonly [string, RuleValue])[];
}

const NOTHING: Own = { byPeople: [], listed: [], doubts: [], areStaysUnknown: false };

/**
 * What contradicts each of at most 1,024 claims, in their order, and whether it rests on what is told alone. Papers of those that nothing contradicts are kept.
 * Rejects as `Lists.view`, `ListView.find`, `knownOf`, `Registry.manualOf`, `Registry.runningOf`, `heldAgainstKept` and the tables.
 */
export async function contradictionsOf(
  given: readonly Claim[],
  modules: ContradictionModules,
): Promise<Weighed[]> {
  const { shelf, lists, registry, isRevoked, areNamed, areUnread = false, refusalToStage } = modules;
  const subjects = given.map(({ subject }) => subject);
  const manual = await registry.manualOf(subjects);
  const running = await registry.runningOf(subjects, Math.min(...given.map(({ atS }) => atS)));
  const pseudonyms = given.map(({ subject }) => shelf.pseudonymOf(subject));
  const read = await shelf.read(pseudonyms);
  const dossiers = read.map((one) => (one instanceof DamagedDossier ? undefined : one));
  const claims = given.map((claim, i) =>
    claim.document === undefined || dossiers[i] !== undefined
      ? claim
      : { ...claim, identity: withPaper(claim.identity, claim.document) },
  );
  const listsOfPeople = [...(await lists.inForce()).keys()].filter((kind) => KINDS[kind].of === 'person');
  const areListed = listsOfPeople.length > 0;
  const own = new Map<Claim, Own>();
  const undecided = new Set<Claim>();
  const declared = new Map<string, { claim: Claim; person: ShelvedDossier }[]>();
  const others: Stranger[] = [];
  claims.forEach((claim, i) => {
    const [dossier, pseudonym = ''] = [dossiers[i], pseudonyms[i]];
    // Of whom nothing can be read nobody knows what else they declared: they get nothing but what cannot be stricter.
    if (read[i] instanceof DamagedDossier && claim.status.colour !== 'red') undecided.add(claim);
    else if (dossier !== undefined) {
      const name = `${claim.ruleSet.id} ${claim.ruleSet.version} ${claim.atS}`;
      const group = declared.get(name) ?? [];
      group.push({ claim, person: { pseudonym, dossier } });
      declared.set(name, group);
    } else if (!areListed) own.set(claim, NOTHING);
    else if (isFindable(claim.identity)) others.push({ claim, pseudonym, identity: claim.identity });
  });
  for (const group of declared.values()) {
    const known = await ownOfDeclared(group, modules);
    for (const [i, { claim }] of group.entries()) {
      const one = known?.[i];
      if (one === undefined) undecided.add(claim);
      else own.set(claim, one);
    }
  }
  const found = await foundOf(others, modules);
  const times = new Set(claims.map(({ atS }) => atS));
  const peopleAt = new Map([...times].map((atS) => [atS, modules.rulesForPeople(atS)]));
  const byDocument = new Map<Claim, Own>();
  others.forEach(({ claim, identity }, i) => {
    const { matched, doubts } = found[i] ?? { matched: [], doubts: [] };
    const people = peopleAt.get(claim.atS) ?? [];
    own.set(claim, ownOf(claim, { matched, doubts }, people));
    if (identity.document !== undefined && matched.some(({ by }) => by === 'name')) {
      const surely = matched.filter(({ by }) => by === 'document');
      byDocument.set(claim, ownOf(claim, { matched: surely, doubts }, people));
    }
  });
  const readOf = ({ atS }: Claim, i: number): Having => {
    const records = (running[i] ?? []).filter(({ fields }) => fields.status.expiresAtS > atS);
    return { records, isRevoked, areUnread, hasDeclared: read[i] !== undefined, wasForgotten: false };
  };
  const having = await withForgotten(claims, claims.map(readOf), modules);
  const contradictionAt = (claim: Claim, i: number, had: Having, isTold: boolean) => {
    const { status, atS: nowS } = claim;
    const at = { nowS, isRevoked };
    const dossier = dossiers[i];
    if (dossier !== undefined && isOfAnother(claim, dossier)) return 'papers';
    if (isForAnother(claim, dossier)) return 'paper';
    if (bindingOf(manual[i] ?? [], status, at) !== undefined) return 'overridden';
    if (isLooserBeside(running[i] ?? [], status, at) && !isGivenByUpdate(dossier, status, at))
      return 'beside';
    const known = own.get(claim);
    if (undecided.has(claim)) return 'open';
    if (known === undefined) return 'unknown';
    const contradiction = contradictionOf(claim, known);
    if (contradiction !== undefined || !isTold || !areNamed) return contradiction;
    const isSaid = isKnown(had) || !isWithout(claim, known, listsOfPeople);
    return isSaid && isTurned(status, had) ? 'told' : undefined;
  };
  const looked = having.map((had, i): Looked => {
    const claim = claims[i] as Claim;
    const { status, subject, identity, ordered } = claim;
    const people = peopleAt.get(claim.atS) ?? [];
    const isTold = isToldAlone(claim, people, own.get(claim));
    // Any document goes with a name that a list knows without: nobody but the order says that both are one person's.
    const isByName = byDocument.has(claim) && isToldAlone(claim, people, byDocument.get(claim));
    const isStranger = !had.hasDeclared;
    // Of whom nothing can be read nobody knows under which papers they declared.
    const isUnsaid = isStranger || read[i] instanceof DamagedDossier;
    const turns = isUnsaid && status.colour !== 'green' && isKnown(had) && isTurned(status, had);
    return {
      subject,
      pseudonym: pseudonyms[i] ?? '',
      status,
      having: had,
      papers: isStranger ? inOneForm(identity ?? {}) : undefined,
      turns,
      isTold: isTold || isByName,
      contradiction: contradictionAt(claim, i, had, isTold),
      isForgotten: () => ordered !== undefined && refusalToStage(subject, ordered) !== undefined,
    };
  });
  return byPapers(looked, { areNamed, rows: registry.papers });
}

function isHeld(record: RegistryRecord, { nowS, isRevoked }: Pick<JudgedAt, 'nowS' | 'isRevoked'>): boolean {
  return record.fields.status.expiresAtS > nowS && !isRevoked(record);
}

/** Whether the code would be bound to a document that is not known to be the person's: of who declared one that they declared, of others one that is told. */
function isForAnother({ document, identity = {}, atS }: Claim, dossier: Dossier | undefined): boolean {
  if (document === undefined) return false;
  const known = dossier === undefined ? [identity] : declaredAs(dossier, atS);
  return !known.some((one) => tellsPaper(one, document));
}

/** Under which papers a person declared, as far as that counts at `atS`. */
function declaredAs(dossier: Dossier, atS: number): Identity[] {
  return [dossier.declaration.identity, ...earlierAt(dossier, atS).identities.map((one) => one.identity)];
}

/** Whether papers are told under which the person never declared. What only one side tells is no difference. */
function isOfAnother({ identity: told, atS }: Claim, dossier: Dossier): boolean {
  if (told === undefined) return false;
  const identity = inOneForm(told);
  const declared = declaredAs(dossier, atS).map(inOneForm);
  const parts: readonly ((one: Identity) => string | undefined)[] = [
    ({ name }) => name,
    ({ birthDate }) => birthDate,
    ({ document }) => document && `${document.type} ${document.country} ${document.number}`,
  ];
  return parts.some((partOf) => {
    const part = partOf(identity);
    const known = declared.map(partOf).filter((one) => one !== undefined);
    return part !== undefined && known.length > 0 && !known.includes(part);
  });
}

/** Whether the rules give a colour as strict without the facts that lists in force say of people: whoever is not on such a list is in none of these cases. */
function isWithout(
  { ruleSet, atS, facts: told, status }: Claim,
  { listed }: Own,
  inForce: readonly ListKind[],
): boolean {
  const names = new Set(inForce.flatMap((kind) => FACT_NAMES[kind]));
  const others = new Map([...told].filter(([name]) => !names.has(name)));
  const facts = withListed(others, listed, ruleSet);
  const sure = facts && sureOf(ruleSet, facts, atS);
  return sure !== undefined && !isStricter(status, sure);
}

/** Whether a code of them that runs demands more. */
function isLooserBeside(
  running: readonly RegistryRecord[],
  status: Status,
  { nowS, isRevoked }: Pick<JudgedAt, 'nowS' | 'isRevoked'>,
): boolean {
  return running.some(
    (record) => stricterBy(record.fields.status, status) > 0 && isHeld(record, { nowS, isRevoked }),
  );
}

/** Whether the last that an update gave runs and demands no more: an update leaves stricter codes to end, and what came later would have revoked it. */
function isGivenByUpdate(
  dossier: Dossier | undefined,
  status: Status,
  { nowS, isRevoked }: Pick<JudgedAt, 'nowS' | 'isRevoked'>,
): boolean {
  const last = dossier && newestByRules(dossier);
  if (last === undefined || last.kind === 'found' || stricterBy(last.status, status) > 0) return false;
  return last.status.expiresAtS > nowS && !isRevoked(last);
}

/** Of claims by the same rules at the same time. Undefined where these rules give another type to a fact than is known here. */
async function ownOfDeclared(
  group: readonly { readonly claim: Claim; readonly person: ShelvedDossier }[],
  { rulesForPeople, knownOf }: ContradictionModules,
): Promise<readonly Own[] | undefined> {
  const [{ claim: first } = { claim: undefined }] = group;
  if (first === undefined) return [];
  const { ruleSet, atS: nowS } = first;
  const persons = group.map(({ person }) => person);
  const people = otherRules(ruleSet, rulesForPeople(nowS));
  try {
    const known = await knownOf(persons, { ruleSet, nowS });
    const byRules: { readonly rules: RuleSet; readonly known: readonly Known[] }[] = [];
    for (const rules of people)
      byRules.push({ rules, known: await knownOf(persons, { ruleSet: rules, nowS }) });
    return known.map((one, i) => {
      const listed = listedOf(one);
      const byPeople = byRules.map(({ rules, known: { [i]: own } }) => own && sureOf(rules, own.facts, nowS));
      // Whoever names rules that ask for nothing of a list clears up no doubt by it.
      const doubts = [...one.doubts, ...byRules.flatMap(({ known: { [i]: own } }) => own?.doubts ?? [])];
      return { ...one, doubts, listed, byPeople };
    });
  } catch (error) {
    if (!isNodeError(error, 'REFUSED')) throw error;
    return undefined;
  }
}

/** The rules for people, if an order names others: rules that were logged for codes of others ask for nothing that is known here. */
function otherRules(named: RuleSet, people: readonly RuleSet[]): readonly RuleSet[] {
  return people.filter(({ id }) => id !== named.id);
}

/** Somebody who did not declare. */
interface Stranger {
  readonly claim: Claim;
  readonly pseudonym: string;
  readonly identity: Identity;
}

/** What lists say of people who did not declare, be the document of a code on paper of whatever kind. A match by name alone counts where nobody who declared has that name. */
async function foundOf(
  people: readonly Stranger[],
  { lists, shelf }: ContradictionModules,
): Promise<readonly Found[]> {
  if (people.length === 0) return [];
  const view = await lists.view();
  const sought = await Promise.all(
    people.map(async ({ identity: given, pseudonym }) => {
      const identity = inOneForm(given);
      const isNamed = identity.name !== undefined && identity.birthDate !== undefined;
      return { identity, isNameShared: isNamed && (await shelf.isNameShared(identity, pseudonym)) };
    }),
  );
  const found = await view.find(sought);
  const onPaper = people.flatMap(({ claim: { document, identity } }, person) =>
    document === undefined
      ? []
      : everyKindOf(document, identity?.birthDate).map((one) => ({ person, identity: one })),
  );
  for (let from = 0; from < onPaper.length; from += SOUGHT_MAX) {
    const some = onPaper.slice(from, from + SOUGHT_MAX);
    const more = await view.find(some.map(({ identity }) => ({ identity, isNameShared: false })));
    for (const [i, { person }] of some.entries()) {
      const [before, one] = [found[person], more[i]];
      if (before !== undefined && one !== undefined) found[person] = together(before, one);
    }
  }
  return found;
}

/** Whether lists can be asked for somebody: half of what says who it is finds nobody, and so says nothing. */
function isFindable(identity: Identity | undefined): identity is Identity {
  const { document, name = '', birthDate = '' } = identity ?? {};
  return (document !== undefined && numberForm(document.number) !== '') || (name !== '' && birthDate !== '');
}

/** Whoever asks over HTTP may write a name or a number otherwise than lists have it. */
function inOneForm({ name, document, birthDate }: Identity): Identity {
  const number = document && numberForm(document.number);
  return {
    birthDate,
    ...(name !== undefined && { name: nameForm(name) }),
    ...(document !== undefined &&
      number !== undefined && { document: documentForm({ ...document, number }) }),
  };
}

/** Of who did not declare. */
function ownOf({ atS, ruleSet }: Claim, { matched, doubts }: Found, people: readonly RuleSet[]): Own {
  const listed = matched.flatMap(({ facts }) => Object.entries(facts));
  const byPeople = otherRules(ruleSet, people).map((rules) => {
    const facts = withListed(new Map(), listed, rules);
    return facts && sureOf(rules, facts, atS);
  });
  return { byPeople, listed, doubts, areStaysUnknown: false };
}

function contradictionOf({ ruleSet, atS, facts: told, status }: Claim, own: Own): Contradiction | undefined {
  const byOwn = own.facts && sureOf(ruleSet, own.facts, atS);
  for (const known of [byOwn, ...own.byPeople])
    if (known !== undefined && isStricter(known, status)) return 'stricter';
  const facts = withListed(told, own.listed, ruleSet);
  const decided = facts && decide(ruleSet, facts, atS).status;
  if (decided === undefined) return 'open';
  if (isStricter(decided, status)) return 'stricter';
  if (status.colour === 'red') return undefined;
  if (own.areStaysUnknown) return 'open';
  return own.doubts.length > 0 ? 'ambiguous' : undefined;
}

function isToldAlone(
  { ruleSet, atS, status }: Claim,
  people: readonly RuleSet[],
  own: Own = NOTHING,
): boolean {
  if (status.colour === 'green') return false;
  // That rules for others would turn somebody on what is known here is known by nobody but who names them.
  const isForOthers = people.length > 0 && !people.some(({ id }) => id === ruleSet.id);
  const listed = withListed(new Map(), own.listed, ruleSet);
  const byOwn = isForOthers ? [] : [own.facts, listed].map((facts) => facts && sureOf(ruleSet, facts, atS));
  return ![...byOwn, ...own.byPeople].some((known) => known !== undefined && !isStricter(status, known));
}

/** What lists say of somebody. */
export function listedOf({ facts, sources }: Pick<Known, 'facts' | 'sources'>): [string, RuleValue][] {
  return [...facts].filter(([name]) => sources.get(name)?.from === 'list');
}

/** What rules give on what is known here, or what is sure of it while something is open. */
export function sureOf(ruleSet: RuleSet, facts: Facts, atS: number): Status | undefined {
  const { status, atLeast } = decide(ruleSet, facts, atS);
  return status ?? atLeast;
}

/** Of days the later one counts, of all else what lists say. Undefined where rules give another type to it than lists do. */
export function withListed(told: Facts, listed: Own['listed'], { data }: RuleSet): Facts | undefined {
  const merged = new Map<string, RuleValue>(told);
  for (const [name, value] of listed) {
    if (!Object.hasOwn(data.facts, name)) continue;
    const before = merged.get(name);
    // Days are texts of one form: the later one is the greater.
    const areDays = data.facts[name] === 'day' && typeof before === 'string' && typeof value === 'string';
    if (!areDays || before < value) merged.set(name, value);
  }
  return readFacts(data.facts, Object.fromEntries(merged)).facts;
}
