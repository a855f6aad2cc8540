/** The document that a code on paper is bound to: whoever checks the code reads its country and its number, and not of which kind it is. */
import { boundDocument, type DocumentInput } from '../../protocol/code/document.ts';
import {
  DOCUMENT_TYPES,
  documentForm,
  type Identity,
  type IdentityDocument,
  numberForm,
} from './identity.ts';

/** The same person with that document, where the papers tell none. @throws {ProtocolError} SCHEMA_INVALID as `boundDocument`. */
export function withPaper(identity: Identity | undefined, document: DocumentInput | undefined): Identity {
  if (document === undefined || identity?.document !== undefined) return { ...identity };
  return { ...identity, document: documentForm({ type: 'other', ...boundDocument(document) }) };
}

/** Whether papers tell that document. @throws {ProtocolError} SCHEMA_INVALID as `boundDocument`. */
export function tellsPaper({ document: told }: Identity, document: DocumentInput): boolean {
  const { country, number } = boundDocument(document);
  return told !== undefined && told.country === country && numberForm(told.number) === number;
}

/** Whoever has it by each kind that it may be of, for lists. @throws {ProtocolError} SCHEMA_INVALID as `boundDocument`. */
export function everyKindOf(document: DocumentInput, birthDate: string | undefined): Identity[] {
  const bound = boundDocument(document);
  const forms = new Map<string, IdentityDocument>();
  for (const type of DOCUMENT_TYPES) {
    const form = documentForm({ type, ...bound });
    forms.set(form.type, form);
  }
  return [...forms.values()].map((one) => ({ document: one, birthDate }));
}
