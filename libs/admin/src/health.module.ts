import { Module } from '@nestjs/common';
import { DataSource } from 'typeorm';
import { HealthController } from './health.controller.js';
import { Readiness } from './readiness.js';

/** `GET /health/live`: the process runs. `GET /health/ready`: it can take requests, that is PostgreSQL answers and nobody has asked it to stop. */
@Module({
  controllers: [HealthController],
  providers: [
    {
      provide: Readiness,
      inject: [DataSource],
      useFactory: (dataSource: DataSource) => new Readiness(async () => dataSource.query('select 1')),
    },
  ],
})
export class HealthModule {}
