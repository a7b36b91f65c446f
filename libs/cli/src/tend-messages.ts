import { invariant } from '@pawl/core';
import type { IncarnationRecord, RunSql, StreamState } from '@pawl/messaging';
import type pg from 'pg';
import type { MessagesOrder } from './command-line.js';
import type { Output } from './run.js';

/** Shows streams, or asks for something in their rows: the service carries it out. Answers the exit code. */
export async function tendMessages(
  client: pg.Client,
  order: MessagesOrder | undefined,
  output: Output,
): Promise<number> {
  invariant(order, 'The command messages has its order.');
  // Only here: it brings the queues along, which other commands need not load.
  const { MessageStreams } = await import('@pawl/messaging');
  const sql: RunSql = async (statement, values) =>
    (await client.query({ ...statement, values: [...values] })).rows;
  const streams = new MessageStreams(sql);
  const { verb, ids, actor, reason, to, resendAll } = order;
  switch (verb) {
    case 'streams':
      output.out((await streams.list()).map(streamLine).join(''));
      return 0;
    case 'incarnations':
      output.out((await streams.incarnations()).map(incarnationLine).join(''));
      return 0;
    case 'new-incarnation': {
      const count = await streams.beginAnew({ ...(to !== undefined && { to }), resendAll });
      output.out(`new incarnation asked for ${count} partitions\n`);
      return 0;
    }
    case 'waive': {
      const waived = await streams.waive(ids, { actor, reason });
      output.out(waived.map((id) => `waived ${id}\n`).join(''));
      const missing = ids.filter((id) => !waived.includes(id));
      output.error(missing.map((id) => `pawl: ${id} is not in the outbox, or waived already\n`).join(''));
      return missing.length === 0 ? 0 : 1;
    }
  }
}

function streamLine({ side, other, partition, session, numbers, count, incarnation }: StreamState): string {
  const [way, what] = side === 'sender' ? ['to', 'out'] : ['from', 'refused'];
  return `${[`${way} ${other}/${partition}`, session, numbers, `${count} ${what}`, incarnation].join('  ')}\n`;
}

function incarnationLine({
  side,
  stream,
  partition,
  incarnation,
  reason,
  beganAt,
}: IncarnationRecord): string {
  return `${[beganAt.toISOString(), side, `${stream}/${partition}`, reason, incarnation].join('  ')}\n`;
}
