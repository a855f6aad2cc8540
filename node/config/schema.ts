/** All that an operator decides about a node, each with its bounds, its default and what it means. Units end the names. */
import { isIP } from 'node:net';
import { z } from 'zod';
import {
  NODE_ADDRESS_BYTES_MAX,
  NODE_ADDRESSES_MAX,
  REGION_NAME_BYTES_MAX,
  TRUST_KEPT_S,
} from '../../protocol/limits.ts';
import { LOOKUP_QUOTAS } from '../lookup/quota.ts';
import { isNetwork, isRegion } from '../../protocol/log/origin.ts';
import { CONNECTIONS_PENDING } from '../network/network-limits.ts';
import { alarmsSchema } from './alarms.ts';
import { lifeSchema } from './life.ts';

const PATH_CHARS_MAX = 4_096;
const PEERS_MAX = 1_024;
const ORIGINS_MAX = 32;

const MULTIADDR = /^\/(ip4|ip6|dns|dns4|dns6)\/[^/\s]+\/tcp\/\d{1,5}(\/p2p\/[1-9A-HJ-NP-Za-km-z]+)?$/;
const ADMIN_PORT = /^(127\.0\.0\.1|\[::1\]):(\d{1,5})$/;

const path = z.string().min(1).max(PATH_CHARS_MAX);
const port = z.int().min(0).max(65_535);
const regionId = z.string().refine(isRegion, 'expected an ISO 3166 code in ASCII such as CN-33 or DE');
const fingerprint = z
  .string()
  .transform((text) => text.replaceAll(/[\s:]/g, '').toLowerCase())
  .refine((digits) => /^[0-9a-f]{64}$/.test(digits), 'expected 64 hexadecimal digits');
const multiaddr = z
  .string()
  .max(NODE_ADDRESS_BYTES_MAX)
  .regex(MULTIADDR, 'expected a multiaddr such as /ip4/192.0.2.1/tcp/4600');
const multiaddrs = z.array(multiaddr).max(NODE_ADDRESSES_MAX);
const origin = z
  .string()
  .max(256)
  .refine(isWebOrigin, 'expected * or an origin such as https://gate.example');

const webUrl = z
  .string()
  .max(PATH_CHARS_MAX)
  .refine(
    (text) => /^https?:/.test(text) && URL.canParse(text),
    'expected a URL such as https://node.example:8600',
  );

const peerSchema = z
  .strictObject({
    directory: path.optional().describe('Where the peer publishes: a directory, relative to this one.'),
    addresses: multiaddrs.optional().describe('Where its nodes listen.'),
    http: webUrl.optional().describe('Its public interface, which `entente doctor` looks at.'),
    fingerprint: fingerprint
      .optional()
      .describe('Of its root. Needed for invited peers; those recognised are pinned by the recognition.'),
    invited: z.boolean().optional().describe('Followed and witnessed without being recognised.'),
    mirror: z
      .boolean()
      .optional()
      .describe('Its attestation logs are copied, so that they outlive its node.'),
  })
  .refine(
    ({ directory, addresses, http, invited }) =>
      (directory ?? addresses ?? http) !== undefined || invited === true,
    { message: 'expected a directory, addresses, or an invited peer that connects by itself' },
  )
  .refine((peer) => peer.invited !== true || peer.fingerprint !== undefined, {
    message: 'an invited peer needs a fingerprint',
  });

const p2pSchema = z.strictObject({
  listen: multiaddrs
    .default(['/ip4/127.0.0.1/tcp/4600'])
    .describe('Where peers connect. Port 0 takes a free one.'),
  announce: multiaddrs
    .default([])
    .describe('What peers are told instead, where it differs, as behind a NAT.'),
  pendingPerAddressMax: z
    .int()
    .min(1)
    .max(CONNECTIONS_PENDING.ofAll)
    .default(CONNECTIONS_PENDING.ofAddress)
    .describe(
      'Connections of one address that have not proven who they are; 256 where a TCP proxy gives all peers one address.',
    ),
});

const httpSchema = z.strictObject({
  address: z
    .string()
    .refine((text) => isIP(text) > 0, 'expected an IP address')
    .default('127.0.0.1')
    .describe('IP address of the public interface; 0.0.0.0 or :: for all.'),
  port: port.default(8600).describe('Port of the public interface. 0 takes a free one.'),
  tls: z
    .strictObject({
      certFile: path.describe('PEM file of the certificate and its chain; read again when it changes.'),
      keyFile: path.describe('PEM file of its private key; read again when it changes.'),
    })
    .optional()
    .describe('HTTPS instead of HTTP.'),
  corsOrigins: z
    .array(origin)
    .max(ORIGINS_MAX)
    .default(['*'])
    .describe('Web pages that may read and verify; * for all, since the public interface holds no secret.'),
  witness: z
    .boolean()
    .default(true)
    .describe('Whether the witness cosigns checkpoints of known logs for whoever submits them by HTTP.'),
});

const witnessSchema = z.strictObject({
  policy: path
    .optional()
    .describe(
      'File of a tlog-policy that says who has to vouch for trust logs in verdicts of this region, in the place of the table; read at the start.',
    ),
});

const writerSchema = z.strictObject({
  fenced: z
    .boolean()
    .default(false)
    .describe('Witnesses of other regions fence whoever writes, so that a standby can take over.'),
  standby: z
    .strictObject({
      key: fingerprint.describe('Public key of its node identity, as `entente standby make` writes it.'),
      addresses: multiaddrs.default([]).describe('Where it listens.'),
    })
    .optional()
    .describe('The other machine of this region: announced to peers with this one.'),
});

const adminSchema = z.strictObject({
  listen: z
    .string()
    .min(1)
    .max(PATH_CHARS_MAX)
    .refine(isAdminAddress, 'expected the path of a unix socket, 127.0.0.1:<port> or [::1]:<port>')
    .default('admin.sock')
    .describe('A unix socket (relative to this directory, at most 100 bytes in full) or a loopback address.'),
  secretFile: path
    .default('admin.secret')
    .describe(
      'The bootstrap secret, mode 0600, made at the first start: all of it until operators are named, then to look on and to name them.',
    ),
  deskSecretFile: path
    .default('desk.secret')
    .describe('What the pages /declare and /holder ask for, mode 0600; made at the first start.'),
  operatorFile: path
    .optional()
    .describe('Key file of the operator in whose name commands act; --operator stands over it.'),
  requireOperators: z
    .boolean()
    .default(false)
    .describe('Nobody but operators acts, also where operators.json is missing.'),
});

const storageSchema = z.strictObject({
  store: path.default('store').describe('Directory of the store.'),
  secondPlace: path
    .default('second-place')
    .describe('Directory of the second place, which knows how far each log was. Put it on another disk.'),
  keepAttestationDays: z
    .int()
    .min(TRUST_KEPT_S / 86_400)
    .max(36_500)
    .optional()
    .describe(
      'Days after its month that the entries of an attestation log, own or mirrored, are kept; for good without it.',
    ),
});

const registrySchema = z.strictObject({
  connection: z
    .string()
    .max(PATH_CHARS_MAX)
    .optional()
    .describe(
      'Connection string of PostgreSQL (postgres://...), where what is private lies there; a secret, for ENTENTE_REGISTRY_CONNECTION.',
    ),
  connectionFile: path
    .optional()
    .describe('The same from a file of mode 0600. `entente registry move` sets it.'),
  caFile: path
    .optional()
    .describe('PEM file of the authorities of its certificate; with it no connection is made without TLS.'),
  connectionsMax: z.int().min(1).max(256).default(8).describe('Connections to it.'),
});

const quota = z.int().min(0).max(100_000_000);
const lookupSchema = z.strictObject({
  verifierPerMinute: quota
    .default(LOOKUP_QUOTAS.verifier.perMinute)
    .describe('Numbers that each enrolled verifier may have looked up in a minute.'),
  verifierPerDay: quota.default(LOOKUP_QUOTAS.verifier.perDay).describe('The same in a day (UTC).'),
  regionPerMinute: quota
    .default(LOOKUP_QUOTAS.region.perMinute)
    .describe('Numbers of this region that each peer region may look up in a minute.'),
  regionPerDay: quota.default(LOOKUP_QUOTAS.region.perDay).describe('The same in a day (UTC).'),
});

const limitsSchema = z.strictObject({
  bodyBytesMax: z
    .int()
    .min(4_096)
    .max(16_777_216)
    .default(65_536)
    .describe('Bytes of a request to the public interface.'),
  batchCodesMax: z.int().min(1).max(1_000).default(100).describe('Codes in one request.'),
  headerTimeoutMs: z
    .int()
    .min(100)
    .max(600_000)
    .default(10_000)
    .describe('Milliseconds for the head of a request.'),
  requestTimeoutMs: z
    .int()
    .min(100)
    .max(600_000)
    .default(15_000)
    .describe('Milliseconds for all of a request.'),
  idleTimeoutMs: z
    .int()
    .min(100)
    .max(600_000)
    .default(30_000)
    .describe('Milliseconds that a connection may rest.'),
  answerTimeoutMs: z
    .int()
    .min(100)
    .max(3_600_000)
    .default(900_000)
    .describe('Milliseconds in which the system has to take more of an answer.'),
  connectionsMax: z
    .int()
    .min(1)
    .max(65_536)
    .default(4_096)
    .describe('Connections to the public interface; more are closed at once.'),
  connectionsPerAddressMax: z
    .int()
    .min(1)
    .max(65_536)
    .default(1_024)
    .describe('Of them from one address; raise it behind a proxy.'),
  inFlightMax: z
    .int()
    .min(1)
    .max(65_536)
    .default(192)
    .describe('Requests in hand; more get 503 with Retry-After.'),
  addressSharePercent: z
    .int()
    .min(1)
    .max(100)
    .default(25)
    .describe('Percent of them that one address may have; 100 behind a proxy.'),
  delayMsMax: z
    .int()
    .min(1)
    .max(10_000)
    .default(100)
    .describe('Milliseconds that the event loop may be late, in the mean, before requests are turned away.'),
});

const logSchema = z.strictObject({
  level: z
    .enum(['debug', 'info', 'warn', 'error', 'silent'])
    .default('info')
    .describe('What is logged: debug, info, warn, error or silent. Bodies and codes never are.'),
  format: z.enum(['json', 'pretty']).default('json').describe('json (a document per line) or pretty.'),
});

const membersSchema = z.strictObject({
  format: z.literal(1).describe('Version of this file.'),
  region: regionId.describe('ISO 3166 code of the region, as in DE or CN-33.'),
  network: z
    .string()
    .refine(isNetwork, 'expected 1 to 32 of a-z, 0-9 and hyphens')
    .describe('Network that the region belongs to.'),
  name: z
    .string()
    .min(1)
    .refine((text) => Buffer.byteLength(text) <= REGION_NAME_BYTES_MAX, {
      message: `expected at most ${REGION_NAME_BYTES_MAX} bytes`,
    })
    .describe('What the region calls itself, at most 64 bytes.'),
  fingerprint: fingerprint
    .optional()
    .describe('Of the own root. With it, a store that was lost is not taken for a new region.'),
  peers: z
    .record(regionId, peerSchema)
    .refine((peers) => Object.keys(peers).length <= PEERS_MAX, `expected at most ${PEERS_MAX} peers`)
    .default({})
    .describe('Other regions by id.'),
  witness: witnessSchema.prefault({}).describe('Who has to vouch for what verdicts lean on.'),
  writer: writerSchema.prefault({}).describe('Which machine signs for the region.'),
  p2p: p2pSchema.prefault({}).describe('The network of nodes.'),
  http: httpSchema.prefault({}).describe('The public interface: verdicts, logs, snapshots, metrics.'),
  admin: adminSchema.prefault({}).describe('The interface for the operator of this node.'),
  storage: storageSchema
    .prefault({})
    .describe('Where things are kept; paths are relative to this directory.'),
  registry: registrySchema
    .prefault({})
    .describe('Where what is private lies; in the store, if no connection is named.'),
  life: lifeSchema.prefault({}).describe('The colours of people who declared, from their first code on.'),
  lookup: lookupSchema.prefault({}).describe('Codes that are mere numbers: how many may be looked up.'),
  alarms: alarmsSchema.prefault({}).describe('Many colours that change at once.'),
  limits: limitsSchema.prefault({}).describe('Bounds of the public interface.'),
  log: logSchema.prefault({}).describe('What the process writes to standard error.'),
});

export const configSchema = membersSchema.superRefine(({ region, peers }, context) => {
  if (region in peers) {
    context.addIssue({ code: 'custom', path: ['peers', region], message: 'a region is no peer of its own' });
  }
});

export type Config = z.infer<typeof configSchema>;
export type PeerConfig = Config['peers'][string];

/** What a file has to say; the rest has defaults. */
export type ConfigInput = z.input<typeof configSchema>;

/** What this module's schemas make use of. */
export interface JsonSchema {
  readonly type?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly properties?: Readonly<Record<string, JsonSchema>>;
  /** Of the values of a map. */
  readonly additionalProperties?: boolean | JsonSchema;
}

/** JSON schema (draft 2020-12) of the file, for editors. */
export function configJsonSchema(): JsonSchema {
  return z.toJSONSchema(configSchema, { io: 'input' }) as JsonSchema;
}

function isWebOrigin(text: string): boolean {
  return text === '*' || (URL.canParse(text) && new URL(text).origin === text);
}

function isAdminAddress(text: string): boolean {
  const [, , digits] = ADMIN_PORT.exec(text) ?? [];
  return digits === undefined ? !/:\d+$/.test(text) : Number(digits) <= 65_535;
}
