import {
  Body,
  ConflictException,
  Controller,
  HttpCode,
  Param,
  ParseUUIDPipe,
  Post,
  UseFilters,
  UseGuards,
  ValidationPipe,
} from '@nestjs/common';
import { ProblemFilter } from '@pawl/messaging';
import { type ControlAnswer, ControlRefusedError, type RunControl, WorkflowControl } from '@pawl/workflow';
import { AdminTokenGuard } from './admin-token.guard.js';
import { ControlBody, ForkBody, RedriveBody, SkipBody, termsOf } from './control-bodies.js';

const strictly = new ValidationPipe({ whitelist: true, forbidNonWhitelisted: true, transform: true });

/** What people do to runs, as docs/control.md tells it: answered with what has become of the run, or refused with 409 and a code. */
@Controller('admin/v1/runs/:id')
@UseGuards(AdminTokenGuard)
@UseFilters(ProblemFilter)
export class ControlsController {
  constructor(private readonly control: WorkflowControl) {}

  @Post('cancel')
  @HttpCode(200)
  async cancel(
    @Param('id', ParseUUIDPipe) id: string,
    @Body(strictly) body: ControlBody,
  ): Promise<ControlAnswer> {
    return this.ask(id, async (run) => run.cancel(termsOf(body)));
  }

  @Post('terminate')
  @HttpCode(200)
  async terminate(
    @Param('id', ParseUUIDPipe) id: string,
    @Body(strictly) body: ControlBody,
  ): Promise<ControlAnswer> {
    return this.ask(id, async (run) => run.terminate(termsOf(body)));
  }

  @Post('pause')
  @HttpCode(200)
  async pause(
    @Param('id', ParseUUIDPipe) id: string,
    @Body(strictly) body: ControlBody,
  ): Promise<ControlAnswer> {
    return this.ask(id, async (run) => run.pause(termsOf(body)));
  }

  @Post('resume')
  @HttpCode(200)
  async resume(
    @Param('id', ParseUUIDPipe) id: string,
    @Body(strictly) body: ControlBody,
  ): Promise<ControlAnswer> {
    return this.ask(id, async (run) => run.resume(termsOf(body)));
  }

  @Post('redrive')
  @HttpCode(200)
  async redrive(
    @Param('id', ParseUUIDPipe) id: string,
    @Body(strictly) body: RedriveBody,
  ): Promise<ControlAnswer> {
    return this.ask(id, async (run) => run.redrive(termsOf(body)));
  }

  @Post('skip')
  @HttpCode(200)
  async skip(@Param('id', ParseUUIDPipe) id: string, @Body(strictly) body: SkipBody): Promise<ControlAnswer> {
    return this.ask(id, async (run) => run.skip(termsOf(body)));
  }

  /** Answers the new run. */
  @Post('fork')
  @HttpCode(200)
  async fork(@Param('id', ParseUUIDPipe) id: string, @Body(strictly) body: ForkBody): Promise<ControlAnswer> {
    return this.ask(id, async (run) => run.fork(termsOf(body)));
  }

  private async ask(id: string, order: (run: RunControl) => Promise<ControlAnswer>): Promise<ControlAnswer> {
    try {
      return await order(this.control.ofRun(id));
    } catch (error) {
      if (!(error instanceof ControlRefusedError)) throw error;
      const { code, reason: detail } = error.details;
      throw new ConflictException({ code, detail });
    }
  }
}
