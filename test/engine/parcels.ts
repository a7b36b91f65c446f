import { type EngineStage, type StageOptions, startEngine } from './engine-stage.js';
import { Announced, ParcelWorkflow } from '../machine/parcel-workflow.js';

/** An engine that knows parcels. */
export async function parcelStage(options: Partial<StageOptions> = {}): Promise<EngineStage> {
  return startEngine({ workflows: [new ParcelWorkflow()], ...options });
}

export async function announce({ client }: EngineStage, key: string, to = 'Ada'): Promise<void> {
  await client.start(ParcelWorkflow, key, new Announced(to));
}

/** What the journal has of a parcel, oldest first: `kind name`. */
export async function historyOf(stage: EngineStage, key: string): Promise<string[]> {
  const rows = await stage.rows<{ entry: string }>(
    `select concat_ws(' ', j.kind, j.name) as entry from pawl.journal j join pawl.run r on r.id = j.run_id
     where r.workflow = 'parcel' and r.key = $1 order by j.revision`,
    [key],
  );
  return rows.map(({ entry }) => entry);
}
