import 'reflect-metadata';
import { asyncApiDocument } from '@pawl/messaging';
import { stringify } from 'yaml';
import { shipping } from '../apps/orders/src/order.workflow.js';
import { ordersRoute } from '../apps/shipping/src/shipment.workflow.js';

const SERVICES = [
  {
    service: 'orders',
    version: '1.0.0',
    description: 'Takes orders, charges for them, and tells shipping about them.',
    sends: [shipping],
    receives: [{ from: 'shipping', route: ordersRoute }],
  },
  {
    service: 'shipping',
    version: '1.0.0',
    description: 'Packs and ships what orders has released.',
    sends: [ordersRoute],
    receives: [{ from: 'orders', route: shipping }],
  },
];

/** The AsyncAPI documents of the services: the text of each file, by its path in the repository. */
export function asyncApiFiles(): Record<string, string> {
  return Object.fromEntries(
    SERVICES.map((service) => [`docs/asyncapi/${service.service}.yaml`, yamlOf(asyncApiDocument(service))]),
  );
}

function yamlOf(document: object): string {
  const yaml = stringify(document, { aliasDuplicateObjects: false, singleQuote: true, lineWidth: 0 });
  return `# Generated from the code by \`npm run asyncapi\`.\n${yaml}`;
}
