/** `npm run bench [-- NAME...] [--nodes 3,10] [--json]`: the figures of this machine. Never part of the tests. */
import { parseArgs } from 'node:util';
import { type Bench, machine, type Row } from './bench.ts';
import { adaptersBench } from './adapters.bench.ts';
import { changesBench } from './changes.bench.ts';
import { durableBench } from './durable.bench.ts';
import { hcertBench } from './hcert.bench.ts';
import { httpBench } from './http.bench.ts';
import { issueFileBench } from './issue-file.bench.ts';
import { issueBench } from './issue.bench.ts';
import { lookupBench } from './lookup.bench.ts';
import { networkBench } from './network.bench.ts';
import { nodesBench } from './nodes.bench.ts';
import { publicationBench } from './publication.bench.ts';
import { residentBench } from './resident.bench.ts';
import { revocationBench } from './revocation.bench.ts';
import { snapshotBench } from './snapshot.bench.ts';
import { treeBench } from './tree.bench.ts';
import { verifyBench } from './verify.bench.ts';
import { witnessBench } from './witness.bench.ts';

const BENCHES: readonly Bench[] = [
  verifyBench,
  hcertBench,
  adaptersBench,
  httpBench,
  issueBench,
  durableBench,
  issueFileBench,
  changesBench,
  revocationBench,
  snapshotBench,
  treeBench,
  witnessBench,
  networkBench,
  nodesBench,
  publicationBench,
  lookupBench,
  residentBench,
];

/** `--nodes` is read by the benchmark `nodes`. */
const OPTIONS = { json: { type: 'boolean' }, nodes: { type: 'string' }, help: { type: 'boolean' } } as const;

function lineOf({ name, value, ratio, of, floor, goal }: Row): string {
  const share =
    ratio === undefined ? '' : `${(100 * ratio).toFixed(1)} %${of === undefined ? '' : ` of ${of}`}`;
  const asked = [floor && `floor ${floor}`, goal && `goal ${goal}`].filter(Boolean).join(', ');
  return `  ${name.padEnd(44)} ${value.padStart(16)}  ${share}${asked ? `  (${asked})` : ''}`;
}

/** What was asked for, or why that cannot be read. */
function read(args: readonly string[]) {
  try {
    return parseArgs({ args: [...args], options: OPTIONS, allowPositionals: true });
  } catch (error) {
    return `${(error as Error).message}\nnpm run bench -- --help says what there is`;
  }
}

async function main(args: readonly string[]): Promise<number> {
  const asked = read(args);
  if (typeof asked === 'string') {
    console.error(asked);
    return 2;
  }
  const { positionals: names, values } = asked;
  const isJson = values.json === true;
  if (values.help === true) {
    console.log(`npm run bench -- [NAME...] [--nodes 3,10] [--json]\n`);
    for (const { name, about } of BENCHES) console.log(`  ${name.padEnd(12)} ${about}`);
    return 0;
  }
  const unknown = names.filter((name) => !BENCHES.some((bench) => bench.name === name));
  if (unknown.length > 0) {
    console.error(
      `no benchmark ${unknown.join(', ')}; there are: ${BENCHES.map(({ name }) => name).join(', ')}`,
    );
    return 2;
  }
  const results: { name: string; rows: readonly Row[] }[] = [];
  if (!isJson) console.log(machine());
  for (const bench of BENCHES.filter(({ name }) => names.length === 0 || names.includes(name))) {
    if (!isJson) console.log(`\n${bench.name}: ${bench.about}`);
    const rows = await bench.run((text) => process.stderr.write(`  ${text}\n`));
    results.push({ name: bench.name, rows });
    if (!isJson) for (const row of rows) console.log(lineOf(row));
  }
  if (isJson) console.log(JSON.stringify({ machine: machine(), results }, undefined, 2));
  return 0;
}

process.exitCode = await main(process.argv.slice(2));
