/** What a running node tells its operator, as commands read it. Whatever else it says is passed over. */
import { z } from 'zod';
import { isNodeError } from '../../node/node-error.ts';
import { adminOf } from './admin-of.ts';

const knowledgeSchema = z.looseObject({
  size: z.number(),
  ageS: z.number().optional(),
  silenceS: z.number().optional(),
  witnesses: z.looseObject({
    counted: z.number(),
    needed: z.number(),
    of: z.number(),
    by: z.string().optional(),
  }),
});

export const regionsSchema = z.looseObject({
  home: z.string(),
  network: z.string(),
  regions: z.array(
    z.looseObject({
      region: z.string(),
      name: z.string().optional(),
      standing: z.string(),
      fingerprint: z.string().optional(),
      way: z.string().optional(),
      fromS: z.number().optional(),
      untilS: z.number().optional(),
      knowledge: knowledgeSchema.optional(),
    }),
  ),
});
export type WitnessesSeen = z.infer<typeof knowledgeSchema>['witnesses'];
export type RegionsSeen = z.infer<typeof regionsSchema>;

const clockSchema = z.looseObject({
  standing: z.enum(['alone', 'agrees', 'doubtful', 'astray']),
  aheadS: z.number().optional(),
  aheadOfS: z.record(z.string(), z.number()),
  needed: z.number(),
});

export const nodeStatusSchema = z.looseObject({
  ...regionsSchema.shape,
  writing: z.string(),
  reason: z.string().optional(),
  writer: z
    .looseObject({
      isSelf: z.boolean(),
      epoch: z.number(),
      writer: z.string(),
      sinceS: z.number(),
      witnesses: z.number(),
      needed: z.number(),
      permitAgeMs: z.number().optional(),
    })
    .optional(),
  workers: z.int().optional(),
  toForget: z.int().optional(),
  behind: z.record(z.string(), z.number()).optional(),
  falseStart: z.int().optional(),
  store: z.string(),
  clock: clockSchema,
  surelyPastS: z.number().optional(),
  sizes: z.record(z.string(), z.number()),
  closed: z.record(z.string(), z.string()),
  forked: z.array(z.string()),
  disowned: z.array(z.string()).optional(),
  left: z
    .array(
      z.object({ origin: z.string(), size: z.number(), keyIds: z.array(z.string()), isLarger: z.boolean() }),
    )
    .optional(),
  accusations: z
    .array(
      z.object({
        name: z.string(),
        kind: z.enum(['fork', 'cosignatures', 'leaf', 'index', 'hours', 'entry', 'tables']),
        region: z.string(),
        origin: z.string(),
        at: z.number(),
        isDisowned: z.boolean(),
      }),
    )
    .optional(),
  unlogged: z.record(z.string(), z.number()).optional(),
  cosigning: z
    .looseObject({
      logs: z.array(
        z.looseObject({
          origin: z.string(),
          size: z.number(),
          needed: z.number(),
          of: z.number(),
          witnessed: z
            .looseObject({ size: z.number(), by: z.array(z.string()), ageS: z.number() })
            .optional(),
          shown: z.looseObject({ size: z.number(), by: z.array(z.string()) }).optional(),
          unwilling: z.record(z.string(), z.looseObject({ why: z.string(), size: z.number().optional() })),
        }),
      ),
    })
    .optional(),
  outside: z
    .array(
      z.looseObject({
        name: z.string(),
        url: z.string(),
        silentSinceS: z.number().optional(),
        troubles: z.record(
          z.string(),
          z.looseObject({
            why: z.string(),
            sinceS: z.number(),
            size: z.number().optional(),
            status: z.number().optional(),
          }),
        ),
      }),
    )
    .optional(),
  scrub: z.looseObject({ corrupt: z.number() }),
  verdicts: z.record(z.string(), z.number()),
  lookup: z.looseObject({ tables: z.array(z.int()), ageS: z.number().optional() }).optional(),
  bulk: z
    .object({
      counts: z.record(z.string(), z.number()),
      alarms: z.array(
        z.object({
          kind: z.string(),
          span: z.enum(['hour', 'day']),
          atS: z.number(),
          count: z.number(),
          limit: z.number(),
        }),
      ),
    })
    .optional(),
  life: z
    .looseObject({
      objections: z.looseObject({ open: z.number(), upheld: z.number(), overdue: z.number() }),
      updates: z
        .looseObject({
          lastAtS: z.number(),
          hasDeclared: z.boolean(),
          damaged: z.array(z.string()).optional(),
          unread: z.int().optional(),
          unreadRows: z.array(z.string()).optional(),
          lists: z
            .array(
              z.looseObject({
                list: z.string(),
                facts: z.array(z.string()),
                asOfS: z.number().optional(),
                isOld: z.boolean(),
              }),
            )
            .optional(),
          trouble: z
            .looseObject({
              code: z.string(),
              message: z.string(),
              hint: z.string().optional(),
              retry: z.boolean(),
              atS: z.number().optional(),
            })
            .optional(),
        })
        .optional(),
      lastUpdate: z.looseObject({ atS: z.number(), figures: z.record(z.string(), z.number()) }).optional(),
    })
    .optional(),
  peers: z.array(
    z.looseObject({
      region: z.string(),
      software: z.string(),
      address: z.string(),
      rttMs: z.number().optional(),
    }),
  ),
  missing: z.record(
    z.string(),
    z.looseObject({
      region: z.string(),
      addresses: z.array(z.string()),
      failures: z.number(),
      trouble: z.string().optional(),
    }),
  ),
  vouching: z.array(
    z.looseObject({
      region: z.string(),
      vouchesForUsAtS: z.number().optional(),
      vouchedByUsAtS: z.number().optional(),
      witnessedBy: z.array(z.string()).optional(),
      recognisesUs: z
        .looseObject({
          standing: z.enum(['recognised', 'suspended', 'withdrawn']),
          way: z.string().optional(),
          fromS: z.number().optional(),
          untilS: z.number().optional(),
          isOurRoot: z.boolean().optional(),
        })
        .optional(),
    }),
  ),
  conduct: z.array(
    z.looseObject({
      peer: z.string(),
      isShutOut: z.boolean(),
      counts: z.record(z.string(), z.number()).default({}),
    }),
  ),
  addresses: z.object({ peer: z.string(), http: z.string(), p2p: z.array(z.string()) }),
  health: z.object({ ready: z.boolean(), reasons: z.array(z.string()) }),
  process: z.looseObject({
    pid: z.number(),
    node: z.string(),
    uptimeS: z.number(),
    residentBytes: z.number(),
    heapBytesMax: z.number(),
  }),
});
export type CosignedSeen = NonNullable<RunningStatus['cosigning']>['logs'][number];
export type OutsideSeen = NonNullable<RunningStatus['outside']>[number];
export type LifeSeen = NonNullable<RunningStatus['life']>;
export type WriterSeen = NonNullable<RunningStatus['writer']>;
export type RunningStatus = z.infer<typeof nodeStatusSchema>;

/** The status of the node that runs on a directory. Rejects as `adminOf` and `AdminClient.ask`. */
export async function askStatus(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<RunningStatus> {
  const client = await adminOf(path, environment);
  return nodeStatusSchema.parse(await client.ask({ method: 'GET', path: '/v1/status' }));
}

/** The same; undefined if no node answers. */
export async function runningStatus(
  path: string,
  environment: Readonly<Record<string, string | undefined>>,
): Promise<RunningStatus | undefined> {
  try {
    return await askStatus(path, environment);
  } catch (error) {
    if (isNodeError(error, 'PEER_UNREACHABLE')) return undefined;
    throw error;
  }
}
