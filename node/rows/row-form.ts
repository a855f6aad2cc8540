/** Which columns a file has, and what a row of it becomes. */

/** Why a row, or the whole file where `line` is 0, cannot be used. `line` counts from 1; `reason` holds no cell's content. */
export interface RowFault {
  readonly line: number;
  readonly column?: string | undefined;
  readonly reason: string;
  readonly example?: string;
  /** The region's reference to whoever has what the row tells of another. For operators: no page shows it, and no log. */
  readonly bearer?: string;
}

/** A row as it stands in the file: cells by column, without the empty ones, or what is wrong with it. */
export type Row =
  { readonly line: number; readonly cells: Readonly<Record<string, string>> } | { readonly fault: RowFault };

export interface RowForm<T extends object = object> {
  readonly columns: readonly string[];
  readonly required: readonly string[];
  /** Columns that JSON lines may give as numbers and booleans. */
  readonly plain: ReadonlySet<string>;
  /** What the cells say, or what is wrong with them. */
  readonly parse: (cells: Readonly<Record<string, string>>, line: number) => T | RowFault[];
}
