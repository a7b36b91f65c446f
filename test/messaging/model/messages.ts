/** Messages have names of one letter, and sets of them are words. */
export function messagesOf(word: string): string[] {
  return word.split('');
}

/** The word with one more message, sorted. A message that is in it twice took effect twice. */
export function withEffect(word: string, message: string): string {
  return messagesOf(word + message)
    .sort()
    .join('');
}
