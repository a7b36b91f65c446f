import {
  Controller,
  Get,
  Header,
  NotFoundException,
  Param,
  ParseUUIDPipe,
  Query,
  UseFilters,
  UseGuards,
  ValidationPipe,
} from '@nestjs/common';
import { ProblemFilter } from '@pawl/messaging';
import { type RunRecord, RunReader, type RunSummary } from '@pawl/workflow';
import { AdminTokenGuard } from './admin-token.guard.js';
import { filterOf, ListRunsQuery } from './list-runs-query.js';
import { timelineOf, type TimelineEntry } from './timeline.js';

export interface RunPage {
  /** Newest first. */
  readonly runs: readonly RunSummary[];
  /** Give it as `after` to get the next page; null on the last one. */
  readonly next: string | null;
}

/** A run with its timeline; the journal is part of that. */
export interface RunDetail extends Omit<RunRecord, 'journal'> {
  readonly timeline: readonly TimelineEntry[];
}

const strictly = new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true });

@Controller('admin/v1/runs')
@UseGuards(AdminTokenGuard)
@UseFilters(ProblemFilter)
export class RunsController {
  constructor(private readonly runs: RunReader) {}

  @Get()
  @Header('Cache-Control', 'no-store')
  async list(@Query(strictly) query: ListRunsQuery): Promise<RunPage> {
    const filter = filterOf(query);
    const found = await this.runs.list({ ...filter, limit: filter.limit + 1 });
    const runs = found.slice(0, filter.limit);
    return { runs, next: found.length > runs.length ? (runs.at(-1)?.id ?? null) : null };
  }

  @Get(':id')
  @Header('Cache-Control', 'no-store')
  async find(@Param('id', ParseUUIDPipe) id: string): Promise<RunDetail> {
    const run = await this.runs.find(id);
    if (run === undefined) throw new NotFoundException(`There is no run ${id}.`);
    const { journal, ...record } = run;
    return { ...record, timeline: timelineOf({ journal, steps: record.steps }) };
  }
}
