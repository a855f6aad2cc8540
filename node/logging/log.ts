/** What a node writes about itself: one line for each event, as JSON or for people. Codes, bodies and secrets are never in it. */
import { pino } from 'pino';
import { prettyFactory } from 'pino-pretty';
import { isProtocolError } from '../../protocol/fault.ts';
import { NodeError } from '../node-error.ts';

export interface LogOptions {
  readonly level: 'debug' | 'info' | 'warn' | 'error' | 'silent';
  readonly format: 'json' | 'pretty';
}

export type LogDetails = Readonly<Record<string, unknown>>;

/** `event` is a constant text; all that varies is in the details. */
export interface Log {
  debug(event: string, details?: LogDetails): void;
  info(event: string, details?: LogDetails): void;
  warn(event: string, details?: LogDetails): void;
  error(event: string, details?: LogDetails): void;
}

/** Members that hold what people bring or what opens something, wherever they are handed in. */
const SECRET_MEMBERS = [
  'code',
  'codes',
  'text',
  'body',
  'subject',
  'authorization',
  'secret',
  'key',
  'challenge',
];

/** A code or presentation, wherever it has crept in: the prefix and all that can follow it. */
const CODE_TEXT = /ENT[0-9]:[0-9A-Z $%*+\-./:]*/g;

/** A log whose lines go to `write`, each with its newline. */
export function openLog({ level, format }: LogOptions, write: (line: string) => void): Log {
  const safely = { write: (line: string) => write(line.replaceAll(CODE_TEXT, '[code]')) };
  const destination = format === 'json' ? safely : prettily(safely);
  const paths = SECRET_MEMBERS.flatMap((member) => [member, `*.${member}`]);
  const logger = pino(
    {
      level,
      base: null,
      timestamp: pino.stdTimeFunctions.isoTime,
      formatters: { level: (label) => ({ level: label }) },
      serializers: { error: errorDetails },
      redact: { paths, censor: '[redacted]' },
    },
    destination,
  );
  return {
    debug: (event, details = {}) => logger.debug(details, event),
    info: (event, details = {}) => logger.info(details, event),
    warn: (event, details = {}) => logger.warn(details, event),
    error: (event, details = {}) => logger.error(details, event),
  };
}

/** A log that nobody reads. */
export const silentLog: Log = { debug: nothing, info: nothing, warn: nothing, error: nothing };

/** What is worth knowing of an error. The stack only of one that nobody foresaw. */
function errorDetails(error: unknown): LogDetails {
  if (error instanceof NodeError) {
    const { code: fault, message, hint, fatal, cause } = error;
    return { fault, message, hint, fatal, ...(cause !== undefined && { cause: errorDetails(cause) }) };
  }
  if (isProtocolError(error))
    return { fault: error.fault.code, message: error.message, details: error.fault.details };
  if (error instanceof Error) return { name: error.name, message: error.message, stack: error.stack };
  return { message: String(error) };
}

function prettily(target: { readonly write: (line: string) => void }) {
  const prettyLine = prettyFactory({ colorize: false, translateTime: 'SYS:HH:MM:ss' });
  return { write: (line: string) => target.write(prettyLine(line) ?? line) };
}

function nothing(): void {
  // By its name.
}
