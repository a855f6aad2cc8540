/** Rules that stand in the trust log of a region, where a command takes a file of rules: read back, compared and explained. */
import { existsSync } from 'node:fs';
import { stringify } from 'yaml';
import { dayText } from '../../protocol/rules/calendar.ts';
import { readRuleSet, type RuleSet, ruleSetHash } from '../../protocol/rules/rule-set.ts';
import { localDay } from '../../protocol/rules/zone.ts';
import { type Sha256 } from '../../protocol/primitives.ts';
import { type Statement } from '../../protocol/trust/statement-schema.ts';
import { type Cli } from '../cli.ts';
import { withDesk } from '../desk/with-desk.ts';
import { CliError, EXIT } from '../exit.ts';
import { printable } from '../printable.ts';

/** Rules by the directory of their region and their id, `DE:de`. */
export interface LoggedName {
  readonly path: string;
  readonly id: string;
}

/** Undefined where the argument names a file, or the part before its colon is there under no name. */
export function parseLoggedName(named: string): LoggedName | undefined {
  const [, path, id] = /^(.+):([a-z0-9-]+)$/.exec(named) ?? [];
  if (path === undefined || id === undefined || existsSync(named) || !existsSync(path)) return undefined;
  return { path, id };
}

/** Those of this id that the log has now, in force or not. @throws {CliError} NOT_FOUND, RULES_INVALID; and as `withDesk`. */
export function readLoggedRules(cli: Cli, { path, id }: LoggedName): Promise<RuleSet> {
  return withDesk(
    cli,
    path,
    (desk) => {
      const logged = desk.state.rules(id);
      if (logged === undefined) {
        const others = [...desk.state.allRules()].map((one) => printable(one.id)).join(', ') || 'none';
        const message = `${desk.config.region} has no rules ${id} in its trust log`;
        throw new CliError(EXIT.failure, 'NOT_FOUND', message, { hint: `It has ${others}.` });
      }
      const { ruleSet, faults } = readRuleSet(logged);
      if (ruleSet !== undefined) return Promise.resolve(ruleSet);
      const [fault] = faults;
      const message = `the rules ${id} in the trust log are none that this program knows: ${printable(`${fault?.path.join('.')} ${fault?.reason}`)}`;
      throw new CliError(EXIT.failure, 'RULES_INVALID', message);
    },
    { reading: true, silent: true },
  );
}

/** A file that says what the set says, and is read as the same one. */
export function fileTextOf(ruleSet: RuleSet, sha256: Sha256): string {
  const { id, version, fromS, untilS, zone, data } = ruleSet;
  const {
    title,
    region,
    zone: zoneName,
    facts,
    requires,
    issuing,
    green,
    roles,
    places,
    acceptance,
    checks,
  } = data;
  const file = {
    ...{ id, version, title, ...(region !== null && { region }) },
    ...{ from: dayText(localDay(zone, fromS)), until: dayText(localDay(zone, untilS)), zone: zoneName },
    ...{ facts, requires, issuing, green, roles, places, acceptance, checks, examples: [] },
  };
  const hash = Buffer.from(ruleSetHash(sha256, ruleSet)).toString('hex');
  const text = stringify(file, { aliasDuplicateObjects: false, lineWidth: 0 });
  return `# As it stands in a trust log, with the hash ${hash}. Examples are not logged.\n${text}`;
}

/** A statement with the hash of the rules that it logs, as `entente rules check` tells it. */
export function withRulesHash(sha256: Sha256, statement: Statement): object {
  if (statement.kind !== 'rules') return statement;
  const { id, version, from: fromS, data } = statement;
  const { ruleSet } = readRuleSet({ id, version, fromS, data });
  return ruleSet === undefined ? statement : { ...statement, hash: ruleSetHash(sha256, ruleSet) };
}
