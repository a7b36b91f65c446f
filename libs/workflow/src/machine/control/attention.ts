/** Where the next reason begins, for what somebody has written may contain a semicolon too. */
const NEXT_REASON =
  /; (?=step \S+ |compensation \S+ |quarantined: |conflicting-content: |handler-failed: |past-no-return: |not all could be undone)/;

/**
 * Why a person should look at a run, without what a redrive or a skip has seen to: a quarantine, and what was said of these steps. Null: nobody need any more.
 */
export function withoutStuck(attention: string | null, names: readonly string[]): string | null {
  const isSeenTo = (reason: string): boolean =>
    reason.startsWith('quarantined: ') ||
    reason.startsWith('not all could be undone') ||
    names.some((name) => reason.startsWith(`step ${name} `) || reason.startsWith(`compensation ${name} `));
  const left = (attention ?? '').split(NEXT_REASON).filter((reason) => reason !== '' && !isSeenTo(reason));
  return left.length > 0 ? left.join('; ') : null;
}
