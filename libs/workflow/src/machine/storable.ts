/** As JSON writes what jsonb refuses: NUL, and half of a surrogate pair. A backslash before it makes it harmless text. */
const UNSTORABLE_JSON = /(?<!\\)(?:\\\\)*\\u(?:0000|d[89a-f][\da-f]{2})/;

/** Whether PostgreSQL can keep this JSON text, made by `JSON.stringify`, in a jsonb column. */
export function isStorable(json: string): boolean {
  return !UNSTORABLE_JSON.test(json);
}

/** The text with what jsonb refuses replaced; for words of user code, which may be cut anywhere. */
export function storableText(text: string): string {
  return text.replace(/[\0\p{Surrogate}]/gu, '\uFFFD');
}
