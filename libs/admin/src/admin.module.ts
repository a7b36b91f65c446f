import { type DynamicModule, Module } from '@nestjs/common';
import { RefusedToBootError } from '@pawl/core';
import { TOKEN_LENGTH_MIN } from '@pawl/messaging';
import { RunReader } from '@pawl/workflow';
import { DataSource } from 'typeorm';
import { ADMIN_TOKEN, AdminTokenGuard } from './admin-token.guard.js';
import { ControlsController } from './controls.controller.js';
import { DeliveriesController } from './deliveries.controller.js';
import { PromisesController } from './promises.controller.js';
import { RunsController } from './runs.controller.js';

export interface AdminOptions {
  /** What callers send as `Authorization: Bearer ...`. At least 32 characters; make it random. */
  readonly token: string;
}

/**
 * Endpoint for operators: `GET /admin/v1/runs`, `GET /admin/v1/runs/:id`, `GET /admin/v1/promises` and `GET /admin/v1/deliveries`, and the orders of
 * docs/control.md: `POST /admin/v1/runs/:id/cancel` and the like. Whoever has the token sees the data of runs and moves them, so import it only
 * where one is set: without this module the routes do not exist.
 */
@Module({})
export class AdminModule {
  /** @throws RefusedToBootError `admin_token_weak` */
  static forRoot({ token }: AdminOptions): DynamicModule {
    if (token.length < TOKEN_LENGTH_MIN) throw weak();
    return {
      module: AdminModule,
      controllers: [RunsController, ControlsController, PromisesController, DeliveriesController],
      providers: [
        { provide: ADMIN_TOKEN, useValue: token },
        AdminTokenGuard,
        {
          provide: RunReader,
          inject: [DataSource],
          useFactory: (dataSource: DataSource) => new RunReader(dataSource),
        },
      ],
    };
  }
}

function weak(): RefusedToBootError {
  return new RefusedToBootError('admin_token_weak', 'AdminModule can not start:', [
    `the token has fewer than ${TOKEN_LENGTH_MIN} characters; make a random one: openssl rand -hex 32`,
  ]);
}
