/** Dossiers that cannot be read: each is an error of its own person. Their codes stay as they are, and nobody else is concerned. */
import { NodeError } from '../node-error.ts';

const NOBODY_ELSE = 'Their codes stay as they are, and nobody else is concerned.';

/** A dossier that is damaged, or in another form than this software keeps. */
export class DamagedDossier {
  readonly pseudonym: string;
  /** The name of its row. */
  readonly name: string;
  /** It opens, and what it says is in another form: whoever wrote it can read it. */
  readonly isOtherForm: boolean;
  /** REGISTRY_CORRUPT, naming the row. */
  readonly error: NodeError;

  constructor(
    { pseudonym, name }: { readonly pseudonym: string; readonly name: string },
    { isOtherForm, cause }: { readonly isOtherForm: boolean; readonly cause: NodeError },
  ) {
    this.pseudonym = pseudonym;
    this.name = name;
    this.isOtherForm = isOtherForm;
    const what = isOtherForm ? 'is not as this software keeps it' : 'is damaged';
    const then = isOtherForm
      ? 'Go back to the software that wrote it, or forget them (entente forget).'
      : 'Let them declare anew once an update has seen it, or forget them (entente forget).';
    this.error = new NodeError(
      'REGISTRY_CORRUPT',
      `what is kept of a person who declared, ${name}, ${what}`,
      {
        cause,
        hint: `${NOBODY_ELSE} ${then} A stricter code can be given by hand.`,
      },
    );
  }
}
