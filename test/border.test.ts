import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, isAbsolute, join, relative, resolve } from 'node:path';
import ts from 'typescript';
import { projectRoot } from './support/project.ts';

/** What a layer may import: folders of the project, and packages (for `protocol` by file). */
const LAYERS = {
  protocol: ['protocol'],
  node: ['protocol', 'node'],
  cli: ['protocol', 'node', 'cli'],
} as const;

const PROTOCOL_PACKAGES = ['@noble/ciphers', '@noble/curves', '@noble/hashes', 'zod'];
const SIGNATURE_LIBRARY = '@noble/ed25519';
const SIGNATURE_FILE = 'protocol/signature/noble.ts';

interface Import {
  readonly file: string;
  readonly specifier: string;
}

/** Every import, re-export, type-only import and `import()` with a literal, as the compiler's own scanner sees them. */
function importsOf(file: string): Import[] {
  const source = readFileSync(join(projectRoot, file), 'utf8');
  return ts
    .preProcessFile(source, true, true)
    .importedFiles.map(({ fileName }) => ({ file, specifier: fileName }));
}

/** The folder of the project that a relative import reaches, or the package it names. */
function targetOf({ file, specifier }: Import): { layer?: string; package?: string } {
  if (specifier.startsWith('.')) {
    const target = relative(projectRoot, resolve(projectRoot, dirname(file), specifier));
    return { layer: target.split('/')[0] ?? '' };
  }
  const [scope, name] = specifier.split('/');
  return { package: specifier.startsWith('@') ? `${scope}/${name}` : (scope ?? '') };
}

function violation(layer: keyof typeof LAYERS, imported: Import): string | undefined {
  const target = targetOf(imported);
  const text = `${imported.file} imports ${imported.specifier}`;
  if (target.layer !== undefined) {
    return (LAYERS[layer] as readonly string[]).includes(target.layer) ? undefined : text;
  }
  if (layer !== 'protocol') return target.package === SIGNATURE_LIBRARY ? text : undefined;
  if (target.package === SIGNATURE_LIBRARY) return imported.file === SIGNATURE_FILE ? undefined : text;
  return PROTOCOL_PACKAGES.includes(target.package ?? '') ? undefined : text;
}

function filesOf(layer: string): string[] {
  return (readdirSync(join(projectRoot, layer), { recursive: true }) as string[])
    .filter((file) => file.endsWith('.ts') && !file.endsWith('.d.ts'))
    .map((file) => `${layer}/${file.replaceAll('\\', '/')}`);
}

describe('borders', () => {
  for (const layer of ['protocol', 'node', 'cli'] as const) {
    it(`${layer} imports only ${LAYERS[layer].join(', ')} and the packages it may`, () => {
      const files = filesOf(layer);
      assert.ok(files.length > 0, `${layer} has no files`);
      assert.deepEqual(
        files
          .flatMap(importsOf)
          .map((imported) => violation(layer, imported))
          .filter(Boolean),
        [],
      );
    });
  }

  it('the check itself sees type-only and dynamic imports, upward imports and foreign packages', () => {
    const caught = (layer: keyof typeof LAYERS, file: string, specifier: string): boolean =>
      violation(layer, { file, specifier }) !== undefined;
    assert.ok(caught('protocol', 'protocol/log/merkle.ts', '../../node/store.ts'));
    assert.ok(caught('protocol', 'protocol/log/merkle.ts', 'node:fs'));
    assert.ok(caught('protocol', 'protocol/log/merkle.ts', SIGNATURE_LIBRARY));
    assert.ok(!caught('protocol', SIGNATURE_FILE, SIGNATURE_LIBRARY));
    assert.ok(caught('node', 'node/a.ts', '../cli/main.ts'));
    assert.ok(!caught('cli', 'cli/main.ts', '../node/a.ts'));
    const scanned = ts.preProcessFile(
      `import type { A } from './a.ts'; export { b } from './b.ts'; const c = await import('./c.ts'); type D = import('./d.ts').D;`,
      true,
      true,
    );
    assert.deepEqual(
      scanned.importedFiles.map(({ fileName }) => fileName),
      ['./a.ts', './b.ts', './c.ts', './d.ts'],
    );
  });

  it('a node loads libp2p in the thread of its network and in no other', () => {
    const loaded = (start: string): Set<string> => {
      const seen = new Set([join(projectRoot, 'dist', start)]);
      // A set is walked to its end, also where it grows meanwhile.
      for (const file of seen) {
        if (!isAbsolute(file)) continue;
        for (const { fileName } of ts.preProcessFile(readFileSync(file, 'utf8'), true, true).importedFiles)
          seen.add(fileName.startsWith('.') ? resolve(dirname(file), fileName) : fileName);
      }
      return seen;
    };
    assert.ok(loaded('node/network/isolation/network-worker.js').has('libp2p'));
    const main = loaded('node/service/node-service.js');
    assert.ok(main.has(join(projectRoot, 'dist/node/network/open-network.js')));
    assert.ok(!main.has('libp2p'));
  });

  it('no file of the product has a default export or re-exports everything', () => {
    for (const file of ['protocol', 'node', 'cli'].flatMap(filesOf)) {
      const source = readFileSync(join(projectRoot, file), 'utf8');
      assert.doesNotMatch(source, /^export (default|\*)/m, file);
    }
  });
});
