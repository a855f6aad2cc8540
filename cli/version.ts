/** What this program is called among nodes, and its version. */
export const VERSION = '0.1.0';
export const SOFTWARE = `entente/${VERSION}`;
