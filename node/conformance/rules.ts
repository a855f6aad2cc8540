/**
 * Suite `rules`: rules of member states with payload, external parameters and the result expected, under `rules/`.
 * A rule is a file with `Logic`; the cases beside and below it that lie nearer to no other rule are its own.
 */
import { dirname, join } from 'node:path';
import { z } from 'zod';
import { evaluationFault } from './evaluation.ts';
import { type JsonFile, jsonFilesOf } from './files.ts';
import { type Suite, Tally } from './suite.ts';

const ruleSchema = z.object({ Logic: z.unknown() }).refine(({ Logic }) => Logic !== undefined);
const caseSchema = z
  .object({
    payload: z.unknown(),
    external: z.record(z.string(), z.unknown()).default({}),
    expected: z.unknown(),
  })
  .refine(({ expected }) => expected !== undefined);
const valueSetsSchema = z.record(z.string(), z.array(z.string()));

export const rulesSuite: Suite = {
  name: 'rules',
  async run(dir) {
    const tally = new Tally();
    const files = jsonFilesOf(join(dir, 'rules'));
    if (files === undefined) {
      tally.skip('there is no folder rules');
      return tally.result();
    }
    const { logics, cases, valueSets, unknown } = await sorted(files);
    for (const name of unknown) tally.fail(`${name}: its layout is not known`);
    const tried = new Set<string>();
    for (const { name, payload, external, expected } of cases) {
      const folder = nearestAbove(name, logics);
      if (folder === undefined) {
        tally.fail(`${name}: there is no rule above it`);
        continue;
      }
      tried.add(folder);
      const data = { payload, external: { valueSets, ...external } };
      const fault = evaluationFault({ expression: logics.get(folder), data, expected });
      tally.settle(fault === undefined ? undefined : `${name}: ${fault}`);
    }
    for (const folder of logics.keys()) {
      if (!tried.has(folder)) tally.skip(`${folder}: there are no cases for its rule`);
    }
    return tally.result();
  },
};

interface Sorted {
  /** By folder. */
  readonly logics: ReadonlyMap<string, unknown>;
  readonly cases: readonly ({ readonly name: string } & z.infer<typeof caseSchema>)[];
  /** Those that hold where a case brings none of its own. */
  readonly valueSets: Readonly<Record<string, readonly string[]>>;
  readonly unknown: readonly string[];
}

async function sorted(files: AsyncIterable<JsonFile>): Promise<Sorted> {
  const logics = new Map<string, unknown>();
  const cases: Sorted['cases'][number][] = [];
  const unknown: string[] = [];
  let valueSets: Sorted['valueSets'] = {};
  for await (const { name, json } of files) {
    const rule = ruleSchema.safeParse(json).data;
    const one = caseSchema.safeParse(json).data;
    const sets = valueSetsSchema.safeParse(json).data;
    const folder = dirname(name);
    if (rule !== undefined && !logics.has(folder)) logics.set(folder, rule.Logic);
    else if (rule === undefined && one !== undefined) cases.push({ name, ...one });
    else if (rule === undefined && sets !== undefined) valueSets = { ...valueSets, ...sets };
    else unknown.push(name);
  }
  return { logics, cases, valueSets, unknown };
}

/** The folder of a file, or the nearest one above, that has a rule. */
function nearestAbove(name: string, logics: ReadonlyMap<string, unknown>): string | undefined {
  for (let folder = dirname(name); ; folder = dirname(folder)) {
    if (logics.has(folder)) return folder;
    if (folder === dirname(folder)) return undefined;
  }
}
