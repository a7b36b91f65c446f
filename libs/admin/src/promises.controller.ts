import { Controller, Get, Header, UseFilters, UseGuards } from '@nestjs/common';
import { declared, type DeclaredRoute, type DeclaredWindow, ProblemFilter } from '@pawl/messaging';
import { AdminTokenGuard } from './admin-token.guard.js';

/** What this process promises by its declarations: each route's guarantee, and how long copies are recognised that carry no number. */
@Controller('admin/v1/promises')
@UseGuards(AdminTokenGuard)
@UseFilters(ProblemFilter)
export class PromisesController {
  @Get()
  @Header('Cache-Control', 'no-store')
  list(): { readonly routes: DeclaredRoute[]; readonly windows: DeclaredWindow[] } {
    return declared();
  }
}
