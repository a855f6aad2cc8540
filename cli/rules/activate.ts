/** `entente rules activate`: rules that were tried come into the trust log, and bind from their day on. */
import { tryExample } from '../../protocol/rules/examples.ts';
import { isForPeople } from '../../node/life/known.ts';
import { type RuleFile } from '../../node/rules/rule-file.ts';
import { isInForce, readRuleSet, type RuleSet, ruleSetHash } from '../../protocol/rules/rule-set.ts';
import { appendByRoot } from '../ceremony/by-root.ts';
import { type Cli } from '../cli.ts';
import { type Desk } from '../desk/desk.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT } from '../exit.ts';
import { counted } from '../output.ts';
import { printable } from '../printable.ts';
import { type RootOptions } from '../region.ts';
import { timeText } from '../times.ts';
import { isProfile, readRules } from './rule-argument.ts';

export interface ActivateOptions extends RootOptions {
  /** Beside others that know of declarations, although nobody has said which people are judged by. */
  readonly undecided?: true;
}

/**
 * Signs with the root and logs rules whose examples all come out as they say, or drafts them for it. The log would take them by the trust-log key too; but
 * that lies on the machine that runs the node, and whoever decides what a colour is worth is to be asked.
 */
export async function activateRules(
  cli: Cli,
  path: string,
  named: string,
  options: ActivateOptions,
): Promise<void> {
  const file = await readRules(named);
  requireExamples(file);
  const { ruleSet } = file;
  const isZoneTold = file.hasOwnZone && !isProfile(named);
  await withDesk(
    cli,
    path,
    async (desk, { nowS, sha256 }) => {
      requireFit(desk, ruleSet, nowS());
      const beside = besidesOf(desk, ruleSet, nowS());
      if (options.undecided !== true) requireDecided(desk, ruleSet.id, beside, nowS());
      const { id, version, fromS: from, data } = ruleSet;
      // A rule set is made of what CBOR has; its conditions were read.
      const statement = { kind: 'rules', id, version, from, data: data as never } as const;
      const warnings = [
        ...zoneWarnings(data.zone, isZoneTold),
        ...(beside.length === 0
          ? []
          : [`WARNING: ${undecidedText(beside)}`, `${decidingText(id)} Then restart the node.`]),
      ];
      // Whoever signs a draft, and submits it, is told no more of this.
      if (options.draft !== undefined) for (const line of warnings) cli.output.note(line);
      const index = await appendByRoot(cli, desk, [statement], options);
      const hash = Buffer.from(ruleSetHash(sha256, ruleSet)).toString('hex');
      const home = desk.config.region;
      cli.output.result(
        {
          home,
          rules: id,
          version,
          index,
          fromS: from,
          untilS: ruleSet.untilS,
          zone: data.zone,
          isZoneTold,
          hash,
          beside,
        },
        () => [
          `${home} goes by ${id}, version ${version}, from ${timeText(from)} to ${timeText(ruleSet.untilS)}, by entry ${index} of its trust log.`,
          `Their days begin and end at midnight of ${printable(data.zone)}.`,
          ...warnings,
          ...gateLines(path, ruleSet),
        ],
      );
    },
    options,
  );
}

function requireExamples({ ruleSet, examples }: RuleFile): void {
  const failed = examples.filter((example) => tryExample(ruleSet, example).fault !== undefined);
  if (examples.length > 0 && failed.length === 0) return;
  const what =
    examples.length === 0 ? 'they have no examples' : `${counted(failed.length, 'example')} failed`;
  throw new CliError(EXIT.failure, 'EXAMPLES_FAILED', `these rules were not activated, since ${what}`, {
    hint: '`entente rules test` says more.',
  });
}

/** What a profile says of whose midnights count is no word of the region. */
function zoneWarnings(zone: string, isTold: boolean): string[] {
  if (isTold || zone !== 'UTC') return [];
  return [
    'WARNING: that days end at midnight of UTC comes from the profile, and the region has not said it. If its days are others, give the rules a zone of their own, as in zone: Asia/Shanghai, and activate that as their next version.',
  ];
}

/** How a gate goes by what the rules say of places: by itself none does. */
function gateLines(path: string, { id, acceptance, data: { places } }: RuleSet): string[] {
  const [kind] = Object.keys(places);
  if (acceptance.length === 0 && kind === undefined) return [];
  const place = kind === undefined ? '' : ` --place kind=${kind}`;
  return [
    'A gate goes by what they say of places where it names them:',
    `  entente verify --region ${printable(path)} --rules ${id}${place} CODE`,
  ];
}

/** Other rules that know of declarations as these do, where the settings do not say by which of them people are judged. */
function besidesOf({ config, state }: Desk, ruleSet: RuleSet, nowS: number): string[] {
  if (config.life.rules !== undefined || !isForPeople(ruleSet)) return [];
  const others = [...state.allRules()].filter(({ id }) => id !== ruleSet.id);
  return others.flatMap((logged) => {
    const { ruleSet: other } = readRuleSet(logged);
    return isForPeople(other) && other.untilS > nowS ? [other.id] : [];
  });
}

/** Rules of another id take no other's place, and none can be taken out of the log. */
function requireDecided({ state }: Desk, id: string, beside: readonly string[], nowS: number): void {
  const before = state.rules(id);
  const { ruleSet } = before === undefined ? {} : readRuleSet(before);
  // Newer rules of an id that knows of declarations already make nothing worse.
  const isRenewal = isForPeople(ruleSet) && ruleSet.untilS > nowS;
  if (beside.length === 0 || isRenewal) return;
  throw new CliError(EXIT.failure, 'RULES_UNDECIDED', `${undecidedText(beside)}; nothing was changed`, {
    hint: `${decidingText(id)} Then run this again, and restart the node. Or give them the id of those whose place they take, or log them all the same: --undecided.`,
  });
}

function undecidedText(beside: readonly string[]): string {
  const others = beside.map((id) => printable(id)).join(', ');
  return `${others} in the trust log ${beside.length === 1 ? 'knows' : 'know'} of declarations too, and with these beside nobody has said by which people are judged: no colour would be updated`;
}

function decidingText(id: string): string {
  return `Say it in entente.yaml: rules: ${id} under life (life.rules).`;
}

function requireFit({ config, state }: Desk, ruleSet: RuleSet, nowS: number): void {
  const { id, version, fromS, untilS, data } = ruleSet;
  const refuse = (code: string, message: string, hint: string) =>
    new CliError(EXIT.failure, code, message, { hint });
  if (data.region !== null && data.region !== config.region)
    throw refuse(
      'RULES_FOREIGN',
      `these rules are for ${data.region}, not for ${config.region}`,
      'Write an overlay over the same profile.',
    );
  if (untilS <= nowS)
    throw refuse(
      'RULES_OVER',
      `these rules ended ${timeText(untilS)}`,
      'Give them a later day in `until`: that is the first day on which they count no more.',
    );
  const before = state.rules(id);
  if (before !== undefined && version <= before.version) {
    const message = `version ${before.version} of ${id} is in the trust log already`;
    throw refuse('RULES_NOT_NEWER', message, `Give the new rules version ${before.version + 1}.`);
  }
  const current = before && readRuleSet(before).ruleSet;
  if (fromS > nowS && current !== undefined && isInForce(current, nowS)) {
    // Newer rules take the place of older ones when they are logged, and not when they begin.
    const message = `until ${timeText(fromS)} nobody would get a colour by ${id}: version ${current.version}, now in force, would end at once`;
    throw refuse('RULES_AHEAD', message, 'Activate them on that day, or give them an earlier day in `from`.');
  }
}
