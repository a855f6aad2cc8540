/** What an operator may do. A route or command asks for one of these, and whoever acts has it or is refused. */

/**
 * `issue`: codes, declarations, lists, objections; `revoke`: revoking and forgetting; `trust`: statements of the trust log, and the
 * node itself; `audit`: the trail, overrides and disclosures; `read`: how the node is, with nothing of people in it, which every
 * operator may see.
 */
export const SCOPES = ['issue', 'revoke', 'trust', 'audit', 'read'] as const;
export type Scope = (typeof SCOPES)[number];

/**
 * What a request needs: a scope; to be who names operators, which no operator can be given; or to be anybody at all who is known, to
 * have the public directory brought up to what the logs say.
 */
export type Needed = Scope | 'operators' | 'publish';

/** Who acts, as the trail names them. */
export interface Actor {
  readonly name: string;
  /** Of an operator's key, 16 lower-case hexadecimal digits; none for the bootstrap identity and for whoever holds the directory. */
  readonly keyId?: string;
  readonly may: ReadonlySet<Needed>;
}

/** Names that no operator can have, since the trail uses them otherwise. */
export const RESERVED_NAMES = ['bootstrap', 'directory', 'desk', 'other-machine'] as const;
const NAME = /^[a-z][a-z0-9-]{0,31}$/;

/** 1 to 32 of a-z, 0-9 and hyphens, a letter first, and none of the reserved names. */
export function isOperatorName(text: string): boolean {
  return NAME.test(text) && !RESERVED_NAMES.some((name) => name === text);
}

export function isScope(text: string): text is Scope {
  return SCOPES.some((scope) => scope === text);
}
