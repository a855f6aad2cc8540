/** Where the node listens, or could. */
import { connect } from 'node:net';
import { isAdminPort } from '../../node/http/admin-address.ts';
import { portOf } from '../../node/region/ports-beside.ts';
import { isFreePort, freePorts } from '../processes/free-port.ts';
import { type Finding, must, note, ok, quoted, warn } from './finding.ts';
import { type ReadablePatient } from './patient.ts';

const ANSWER_MS_MAX = 3_000;
const LOOPBACK = /\/(ip4\/127\.|ip6\/::1\/|dns[46]?\/localhost\/)/;

export function checkPorts(patient: ReadablePatient): Promise<Finding[]> {
  return patient.running === undefined ? checkFree(patient) : checkAnswering(patient);
}

async function checkFree({ config, path }: ReadablePatient): Promise<Finding[]> {
  const { http, p2p, admin } = config;
  const wanted = [
    { setting: 'http.port', address: http.address, port: http.port, as: String },
    ...p2p.listen.map((text) => ({
      setting: 'p2p.listen',
      address: /\/ip[46]\/([^/]+)\//.exec(text)?.[1],
      port: portOf(text),
      as: (port: number) => text.replace(/\/tcp\/\d+/, `/tcp/${port}`),
    })),
    ...(isAdminPort(admin.listen)
      ? [
          {
            setting: 'admin.listen',
            address: admin.listen.replace(/:\d+$/, '').replaceAll(/[[\]]/g, ''),
            port: Number(/\d+$/.exec(admin.listen)?.[0]),
            as: (port: number) => admin.listen.replace(/\d+$/, String(port)),
          },
        ]
      : []),
  ];
  const findings: Finding[] = [];
  for (const { setting, address, port, as } of wanted) {
    if (port === 0 || (await isFreePort(port, address))) continue;
    const [free = 0] = await freePorts(1);
    findings.push(
      must(
        `port ${port} of ${setting} is not to be had: another process listens there, or the address is not of this machine`,
        `entente run ${quoted(path)} --set ${setting}=${as(free)}`,
      ),
    );
  }
  return findings.length > 0 ? findings : [ok(`free: ${wanted.map(({ port }) => port).join(', ')}`)];
}

async function checkAnswering({ running, path }: ReadablePatient): Promise<Finding[]> {
  const { http, p2p } = running?.addresses ?? { http: '', p2p: [] };
  const findings: Finding[] = [];
  const restart = `entente run ${quoted(path)}   # after it was stopped`;
  if (!(await answers(http)))
    findings.push(must(`nobody answers at ${http}, where the node listens`, restart));
  if (p2p.length === 0)
    findings.push(
      must('nobody listens for peers: the thread of the network has ended, and is started anew', restart),
    );
  for (const address of p2p) {
    const [, host = '', port = ''] = /\/ip[46]\/([^/]+)\/tcp\/(\d+)/.exec(address) ?? [];
    if (host === '' || (await accepts(host, Number(port)))) continue;
    findings.push(must(`nobody listens at ${address}, where peers are to connect`, restart));
  }
  return findings.length > 0
    ? findings
    : [ok(`the node answers at ${http} and for peers at ${p2p.length} address(es)`)];
}

/** Peers elsewhere cannot dial a node that they only hear of by a loopback address. */
export function checkAnnounced({ config, layout, peers }: ReadablePatient): Finding[] {
  const { listen, announce } = config.p2p;
  const told = announce.length > 0 ? announce : listen;
  const areElsewhere = peers.some(({ addresses }) => addresses.some((address) => !LOOPBACK.test(address)));
  if (!told.every((address) => LOOPBACK.test(address))) return [ok(`peers are told ${told.join(', ')}`)];
  if (!areElsewhere) return [note('peers are told a loopback address: only this machine can dial it')];
  return [
    warn(
      'peers are told a loopback address, and some of them are on other machines: they cannot dial this node',
      `\${EDITOR:-vi} ${quoted(layout.config)}   # p2p: { listen: [/ip4/0.0.0.0/tcp/4600] }`,
    ),
  ];
}

async function answers(url: string): Promise<boolean> {
  try {
    const response = await fetch(new URL('/livez', url), { signal: AbortSignal.timeout(ANSWER_MS_MAX) });
    return response.ok;
  } catch (error) {
    // A certificate that this machine does not trust is no closed port.
    return /CERT|SELF_SIGNED|ALTNAME/i.test(String((error as { cause?: { code?: unknown } }).cause?.code));
  }
}

function accepts(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: ANSWER_MS_MAX });
    const end = (isOpen: boolean) => {
      socket.destroy();
      resolve(isOpen);
    };
    socket
      .once('connect', () => end(true))
      .once('error', () => end(false))
      .once('timeout', () => end(false));
  });
}
