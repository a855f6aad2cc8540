/** What a program that embeds a region or a verifier needs of Node besides the protocol. */
export { openNativeCrypto, type NativeCrypto } from './crypto/native.ts';
export { scrypt } from './crypto/scrypt.ts';
export { isNodeError, NodeError } from './node-error.ts';
export { RegionDirectory, type RegionOptions } from './region/region-directory.ts';
export { type IssueRequest, type Issued } from './region/issuer.ts';
export { runConformance } from './conformance/run.ts';
