/**
 * One SQL text with the name under which each connection prepares it. The server parses and plans a named statement once per
 * connection, which halves its cost on short statements; so a name stands for one text, for ever.
 */
export interface Statement {
  readonly name: string;
  readonly text: string;
}

/** Declares a named statement; two texts under one name would make PostgreSQL run the wrong one. */
export function statement(name: string, text: string): Statement {
  const known = texts.get(name);
  if (known !== undefined && known !== text) throw new Error(`Two texts for the statement ${name}.`);
  texts.set(name, text);
  return { name: `pawl_${name}`, text };
}

const texts = new Map<string, string>();
