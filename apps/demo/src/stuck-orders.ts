import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import type { Stage } from './stage.js';

const SHOWN_MAX = 3;

/** What the operators' endpoint tells of a run, as far as it is shown here. */
interface RunDetail {
  readonly id: string;
  readonly workflow: string;
  readonly key: string;
  readonly status: string;
  readonly state: string | null;
  readonly attention: string | null;
  readonly parked: readonly { readonly type: string }[];
  readonly messages: readonly { readonly type: string; readonly transmissions: number }[];
  readonly steps: readonly { readonly name: string; readonly status: string }[];
}

/**
 * Where orders hang that have not ended, for people who look for the reason; the books do not depend on it. Everything that the
 * operators' endpoints of both services know is put into files beside the logs.
 */
export async function describeStuck(stage: Stage, orderIds: readonly string[]): Promise<readonly string[]> {
  const lines: string[] = [];
  for (const id of orderIds.slice(0, SHOWN_MAX)) {
    for (const service of [stage.orders, stage.shipping]) {
      const run = await runOf(service.url, id, stage.adminToken);
      await writeFile(
        join(stage.directory, `stuck-${id}-${service.name}.json`),
        JSON.stringify(run, null, 2),
      );
      lines.push(`  ${id} in ${service.name}: ${run ? summary(run) : 'unknown'}`);
    }
  }
  return lines;
}

function summary({ status, state, attention, parked, messages, steps }: RunDetail): string {
  const parts = [
    `${state ?? 'no state'} (${status})`,
    ...(attention === null ? [] : [`attention: ${attention}`]),
    ...steps.map((step) => `${step.name} ${step.status}`),
    ...parked.map(({ type }) => `${type} waits`),
    ...messages.map(({ type, transmissions }) => `${type} sent ${transmissions} times, not acknowledged`),
  ];
  return parts.join(', ');
}

async function runOf(url: string, key: string, token: string): Promise<RunDetail | undefined> {
  const headers = { authorization: `Bearer ${token}` };
  const list = await fetch(`${url}/admin/v1/runs?key=${key}`, { headers });
  const { runs } = (await list.json()) as { runs: readonly { id: string }[] };
  if (!runs[0]) return undefined;
  return (await (await fetch(`${url}/admin/v1/runs/${runs[0].id}`, { headers })).json()) as RunDetail;
}
