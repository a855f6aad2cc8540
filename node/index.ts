/** What a program that embeds a region or a verifier needs of Node besides the protocol. */
export { openNativeCrypto, type NativeCrypto } from './crypto/native.ts';
export { scrypt } from './crypto/scrypt.ts';
export { isNodeError, NodeError } from './node-error.ts';
export { foundRegion, type FoundingOptions } from './region/found.ts';
export { openRegion, type OpenRegionOptions, type Region } from './region/region.ts';
export { publishedNetwork } from './region/published-network.ts';
export { type IssueRequest, type Issued } from './issuing/issuer.ts';
export { runConformance } from './conformance/run.ts';
export { nativeForeignPrimitives } from './crypto/foreign-primitives.ts';
export { ForeignTrust } from './foreign/foreign-trust.ts';
export { readKeyList, type KeyList } from './foreign/key-list.ts';
