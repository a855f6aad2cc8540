/** The container files without a container: read as text, and their steps run in empty folders. */
import assert from 'node:assert/strict';
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { cpSync, existsSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { promisify } from 'node:util';
import { validate } from 'dockerfile-utils';
import { parse } from 'yaml';
import { freePorts } from '../../cli/processes/free-port.ts';
import { editConfig } from '../../node/config/config-file.ts';
import { allSettings, variableOf } from '../../node/config/settings.ts';
import { projectRoot } from '../support/project.ts';
import { temporaryFolders } from '../support/temporary.ts';
import { TLS_PAIRS } from '../support/tls-pairs.ts';

const run = promisify(execFile);

interface Instruction {
  readonly name: string;
  readonly rest: string;
}

/** The stages of a Dockerfile, each a list of instructions that begins with FROM. */
function stagesOf(text: string): Instruction[][] {
  const lines = text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .join('\n')
    .replaceAll(/\\\n\s*/g, '')
    .split('\n');
  const stages: Instruction[][] = [];
  for (const line of lines) {
    const [name = '', ...rest] = line.split(' ');
    if (name === 'FROM') stages.push([]);
    stages.at(-1)?.push({ name, rest: rest.join(' ') });
  }
  return stages;
}

const dockerfile = readFileSync(join(projectRoot, 'docker/Dockerfile'), 'utf8');
const stages = stagesOf(dockerfile);
const last = stages.at(-1) ?? [];

function only(name: string): string {
  const found = last.filter((one) => one.name === name);
  assert.equal(found.length, 1, name);
  return found[0]?.rest ?? '';
}

const environment = Object.fromEntries(
  only('ENV')
    .split(' ')
    .map((pair) => pair.split('=') as [string, string]),
);

interface Service {
  readonly entrypoint?: string[];
  readonly command: string[];
  readonly environment?: Record<string, string>;
  readonly ports?: string[];
}

const composeText = readFileSync(join(projectRoot, 'docker/compose.yaml'), 'utf8');
const compose = parse(composeText, { merge: true }) as {
  readonly services: Record<string, Service>;
};

describe('docker/Dockerfile', () => {
  const folder = temporaryFolders();

  const faultsIn = (text: string) => validate(text).map(({ message }) => message);

  it('has nothing that a linter finds, which finds what is wrong', () => {
    assert.deepEqual(faultsIn(dockerfile), []);
    assert.deepEqual(faultsIn(dockerfile.replace('USER node', 'USR node')), ['Unknown instruction: USR']);
    assert.deepEqual(faultsIn(dockerfile.replace('--retries', '--retrys')), ['Unknown flag: retrys']);
  });

  it('is of Node 24, runs as nobody special, starts one process without a shell, and stops it by SIGTERM', () => {
    for (const [from] of stages) assert.match(from?.rest ?? '', /^node:24-[a-z]+-slim( AS build)?$/);
    assert.equal(only('USER'), 'node');
    assert.equal(only('STOPSIGNAL'), 'SIGTERM');
    assert.deepEqual(JSON.parse(only('ENTRYPOINT')), ['entente']);
    assert.deepEqual(JSON.parse(only('CMD')), ['run', '/data/region']);
    const names = last.map(({ name }) => name);
    assert.ok(names.indexOf('USER') > names.lastIndexOf('RUN'));
  });

  it('sets nothing that is not a setting, and exposes the ports of the defaults', () => {
    const known = new Set(allSettings().map(variableOf));
    for (const name of Object.keys(environment).filter((one) => one.startsWith('ENTENTE_')))
      assert.ok(known.has(name), name);
    assert.equal(only('EXPOSE'), '4600 8600');
    assert.equal(allSettings().find(({ at }) => at.join('.') === 'http.port')?.fallback, 8600);
  });

  it('copies what is there, and .dockerignore lets in that and nothing else', () => {
    const copied = stages
      .flat()
      .filter(({ name, rest }) => name === 'COPY' && !rest.startsWith('--from'))
      .flatMap(({ rest }) => rest.split(' ').slice(0, -1));
    for (const path of copied) assert.ok(existsSync(join(projectRoot, path)), path);
    const ignore = readFileSync(join(projectRoot, '.dockerignore'), 'utf8').split('\n');
    const rules = ignore.filter((line) => line !== '' && !line.startsWith('#'));
    assert.deepEqual(rules, ['*', ...copied.map((path) => `!${path}`)].sort(asIn(rules)));
  });

  it('its steps build the program in empty folders', async function () {
    if (process.env['DOCKER_STEPS'] !== '1') {
      console.log('      skipped: takes two minutes and a registry; set DOCKER_STEPS=1');
      return this.skip();
    }
    this.timeout(600_000);
    const root = folder();
    let directory = '';
    for (const [i, stage] of stages.entries()) {
      const of = (path: string, at = i) =>
        path.startsWith('/') ? join(root, String(at), path) : join(directory, path);
      for (const { name, rest } of stage) {
        if (name === 'WORKDIR') mkdirSync((directory = of(rest)), { recursive: true });
        if (name === 'COPY') {
          const words = rest.split(' ');
          const isFromBuild = words[0] === '--from=build';
          const target = of(words.at(-1) ?? '');
          for (const word of words.slice(isFromBuild ? 1 : 0, -1)) {
            const source = isFromBuild ? of(word, 0) : join(projectRoot, word);
            const isInto = words.at(-1)?.endsWith('/') === true;
            cpSync(source, isInto ? join(target, word.split('/').at(-1) ?? '') : target, { recursive: true });
          }
        }
        if (name === 'RUN') {
          mkdirSync(of('/usr/local/bin'), { recursive: true });
          const here = rest.replaceAll(/ \/(app|usr|data)/g, (_, top: string) => ` ${of(`/${top}`)}`);
          await run('sh', ['-c', here.replace('-o node -g node ', '')], { cwd: directory });
        }
      }
    }
    const { stdout } = await run(join(root, '1/usr/local/bin/entente'), ['--version']);
    assert.match(stdout, /^\d+\.\d+\.\d+\n$/);
    assert.ok(existsSync(join(root, '1/data')));
    assert.ok(!existsSync(join(root, '1/app/node_modules/typescript')));
  });
});

describe('docker/compose.yaml', () => {
  const folder = temporaryFolders();
  const { setup, ...nodes } = compose.services;

  it('has nothing that a linter finds, which finds what is wrong', async () => {
    const lint = (path: string) =>
      run(process.execPath, [
        join(projectRoot, 'node_modules/dclint/bin/dclint.cjs'),
        ...['--config', join(projectRoot, 'docker/dclint.yaml'), '--max-warnings', '0', path],
      ]);
    await lint(join(projectRoot, 'docker/compose.yaml'));
    const wrong = join(folder(), 'compose.yaml');
    writeFileSync(wrong, composeText.replace('stop_grace_period', 'stop_grace'));
    await assert.rejects(lint(wrong), ({ stdout }: { readonly stdout: string }) =>
      /invalid-schema/.test(stdout),
    );
  });

  it('runs three regions after they were set up, each known to the others by its own name', () => {
    assert.deepEqual(setup?.entrypoint, ['/app/docker/three-regions.sh', '/data']);
    assert.deepEqual(
      Object.values(nodes).map(({ command }) => command),
      ['DE', 'FR', 'IT'].map((region) => ['run', `/data/${region}`]),
    );
    const ports = Object.values(nodes).flatMap(({ ports: of }) => of ?? []);
    assert.equal(new Set(ports).size, 3);
    for (const port of ports) assert.match(port, /^127\.0\.0\.1:\d+:8600$/);
    for (const [name, { environment: of }] of Object.entries(nodes))
      assert.deepEqual(of, {
        ENTENTE_P2P_ANNOUNCE: `/dns4/${name}/tcp/4600`,
        REGION_DIR: `/data/${name.toUpperCase()}`,
      });
  });

  it('its script sets the regions up once; a node of them, with TLS, is healthy by the check of the image and stops by SIGTERM', async function () {
    this.timeout(120_000);
    const directory = folder();
    const bin = join(directory, 'bin');
    mkdirSync(bin);
    symlinkSync(join(projectRoot, 'dist/cli/main.js'), join(bin, 'entente'));
    const env = { ...process.env, PATH: `${bin}:${dirname(process.execPath)}:${process.env['PATH'] ?? ''}` };
    const script = join(projectRoot, 'docker/three-regions.sh');
    await run('sh', [script, directory], { env });
    const { stdout } = await run('sh', [script, directory], { env });
    assert.equal(stdout, '');

    const region = join(directory, 'DE');
    const [pair] = TLS_PAIRS;
    writeFileSync(join(region, 'cert.pem'), pair.cert);
    writeFileSync(join(region, 'key.pem'), pair.key, { mode: 0o600 });
    await editConfig(join(region, 'entente.yaml'), [
      { at: ['http', 'tls'], value: { certFile: 'cert.pem', keyFile: 'key.pem' } },
    ]);
    const [http = 0, p2p = 0, unused = 0] = await freePorts(3);
    const node = spawn('entente', ['run', region], {
      env: {
        ...env,
        ...environment,
        ...nodes['de']?.environment,
        ENTENTE_HTTP_PORT: `${http}`,
        ENTENTE_P2P_LISTEN: `/ip4/0.0.0.0/tcp/${p2p}`,
      },
      stdio: ['ignore', 'pipe', 'inherit'],
    });
    try {
      const ended = once(node, 'exit');
      await Promise.race([once(node.stdout, 'data'), ended]);
      const [command = '', ...args] = JSON.parse(only('HEALTHCHECK').split(' CMD ')[1] ?? '[]') as string[];
      const check = (port: number) =>
        run(command, args, { env: { ...env, REGION_DIR: region, ENTENTE_HTTP_PORT: `${port}` } });
      const { stdout: told } = await check(http);
      assert.match(told, new RegExp(`^It answers at https://127\\.0\\.0\\.1:${http}/livez\n$`));
      await assert.rejects(check(unused), { code: 1 });
      node.kill('SIGTERM');
      assert.deepEqual(await ended, [0, null]);
    } finally {
      node.kill('SIGKILL');
    }
  });
});

/** The order of another list, for what is compared without regard to it. */
function asIn(order: readonly string[]): (a: string, b: string) => number {
  return (a, b) => order.indexOf(a) - order.indexOf(b);
}
