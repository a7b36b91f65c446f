import { Controller, Get, Header, ServiceUnavailableException, UseFilters } from '@nestjs/common';
import { ProblemFilter } from '@pawl/messaging';
import { Readiness } from './readiness.js';

@Controller('health')
@UseFilters(ProblemFilter)
export class HealthController {
  constructor(private readonly readiness: Readiness) {}

  @Get('live')
  @Header('Cache-Control', 'no-store')
  live(): { status: 'live' } {
    return { status: 'live' };
  }

  @Get('ready')
  @Header('Cache-Control', 'no-store')
  async ready(): Promise<{ status: 'ready' }> {
    const obstacle = await this.readiness.obstacle();
    if (obstacle === undefined) return { status: 'ready' };
    throw new ServiceUnavailableException({ code: 'not_ready', detail: obstacle });
  }
}
