/** The configuration and the modes of files that hold secrets. */
import { join } from 'node:path';
import { SOCKET_PATH_BYTES_MAX, isAdminPort } from '../../node/http/admin-address.ts';
import { nativeSha256 } from '../../node/crypto/native.ts';
import { isNodeError } from '../../node/node-error.ts';
import { mistakenRegions, readPolicyFile } from '../../node/region/policy-file.ts';
import { modeOf, namesIn } from '../../node/region/files.ts';
import { printable } from '../printable.ts';
import { editing, type Finding, must, ok, quoted, warn } from './finding.ts';
import { type Patient } from './patient.ts';

const OTHERS = 0o077;

/** What is wrong with it is the error's own text: it names line and key, and the nearest known one. */
export function checkConfig({ config, configError, layout }: Patient): Finding[] {
  if (config === undefined)
    return [must(configError?.message ?? 'it cannot be read', configError?.hint ?? editing(layout.config))];
  const findings: Finding[] = [];
  if (config.fingerprint === undefined) {
    findings.push(
      warn(
        'no fingerprint of the own root: a store that was lost would be taken for a new region',
        editing(layout.config),
      ),
    );
  }
  const socket = layout.resolve(config.admin.listen);
  if (!isAdminPort(config.admin.listen) && Buffer.byteLength(socket) > SOCKET_PATH_BYTES_MAX) {
    findings.push(
      must(
        `admin.listen: the path ${printable(socket)} is longer than ${SOCKET_PATH_BYTES_MAX} bytes`,
        `${editing(layout.config)}   # admin: { listen: 127.0.0.1:8700 }`,
      ),
    );
  }
  return findings.length > 0 ? findings : [ok(`${printable(layout.config)} is as expected`)];
}

/** Whom verdicts go by, where that is the operator's own word: a node does not start by a file that is none. */
export async function checkPolicy({ config, layout }: Patient): Promise<Finding[]> {
  const file = config?.witness.policy;
  if (config === undefined || file === undefined) return [];
  const path = layout.resolve(file);
  try {
    const policy = await readPolicyFile(path, config.network, { sha256: nativeSha256 });
    const mistaken = mistakenRegions(policy);
    if (mistaken.length > 0) {
      const names = mistaken.map(({ name }) => printable(name)).join(', ');
      return [
        warn(
          `${printable(path)} asks for ${names} as a witness outside: the name of a region is in capitals, that of the network in small letters`,
          `\${EDITOR:-vi} ${quoted(path)}   # the keys of regions, as \`entente key list\` prints them there`,
        ),
      ];
    }
    return [
      ok(`verdicts go by the policy of witnesses in ${printable(path)}, as the node read it at its start`),
    ];
  } catch (error) {
    if (!isNodeError(error, 'CONFIG_INVALID')) throw error;
    return [must(printable(error.message), `\${EDITOR:-vi} ${quoted(path)}   # ${error.hint ?? ''}`)];
  }
}

export async function checkModes({ config, layout }: Patient): Promise<Finding[]> {
  const secrets = (await namesIn(layout.keys)).map((name) => join(layout.keys, name));
  if (config !== undefined) {
    secrets.push(layout.resolve(config.admin.secretFile), layout.resolve(config.admin.deskSecretFile));
    const { connectionFile } = config.registry;
    if (connectionFile !== undefined) secrets.push(layout.resolve(connectionFile));
    if (config.http.tls !== undefined) secrets.push(layout.resolve(config.http.tls.keyFile));
  }
  const findings: Finding[] = [];
  let count = 0;
  for (const path of secrets) {
    const mode = await modeOf(path);
    if (mode !== undefined) count++;
    if (mode === undefined || (mode & OTHERS) === 0) continue;
    findings.push(
      must(
        `${printable(path)} has mode 0${mode.toString(8)}: others may read this secret`,
        `chmod 600 ${quoted(path)}`,
      ),
    );
  }
  return findings.length > 0 ? findings : [ok(`${count} files with secrets, for their owner alone`)];
}
