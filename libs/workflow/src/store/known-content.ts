import { statement, type Transaction } from '@pawl/core';

/** What of a run's events is to be looked up before they can be decided. */
export interface LookUp {
  readonly type: string;
  readonly subject: string;
}

const KEYS = statement(
  'known_keys',
  `select x.type, x.subject, k.digest from jsonb_to_recordset($2::jsonb) as x (type text, subject text)
   join pawl.event_key k on k.run_id = $1 and k.type = x.type and 'key:' || k.key = x.subject`,
);

// Item digests stand in the journal only: constant space in the run, a short scan for the rare duplicate.
const ITEMS = statement(
  'known_items',
  `select x.type, x.subject, j.digest from jsonb_to_recordset($2::jsonb) as x (type text, subject text)
   join pawl.journal j on j.run_id = $1 and j.kind = 'event' and j.name = x.type and j.subject = x.subject
     and j.verdict = 'applied'`,
);

/** The content digests of what was applied under these subjects. */
export async function knownContent(
  tx: Transaction,
  runId: string,
  subjects: readonly LookUp[],
): Promise<(type: string, subject: string) => string | undefined> {
  const known = new Map<string, string>();
  for (const [source, prefix] of [
    [KEYS, 'key:'],
    [ITEMS, 'item:'],
  ] as const) {
    const wanted = subjects.filter(({ subject }) => subject.startsWith(prefix));
    if (wanted.length === 0) continue;
    const rows = await tx.query<LookUp & { digest: string }>(source, [runId, JSON.stringify(wanted)]);
    for (const { type, subject, digest } of rows) known.set(`${type}\n${subject}`, digest);
  }
  return (type, subject) => known.get(`${type}\n${subject}`);
}
