/** `entente rules activate`: rules that were tried come into the trust log, and bind from their day on. */
import { tryExample } from '../../protocol/rules/examples.ts';
import { type RuleFile } from '../../node/rules/rule-file.ts';
import { type RuleSet, ruleSetHash } from '../../protocol/rules/rule-set.ts';
import { appendByRoot } from '../ceremony/by-root.ts';
import { type Cli } from '../cli.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT } from '../exit.ts';
import { counted } from '../output.ts';
import { printable } from '../printable.ts';
import { type RootOptions } from '../region.ts';
import { timeText } from '../times.ts';
import { besidesOf, decidingText, requireDecided, requireFit, undecidedText } from './fitness.ts';
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
  const file = await readRules(cli, named);
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
          `Hash: ${hash}`,
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
