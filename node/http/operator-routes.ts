/** Operators of the region: naming them and taking them back, for whoever holds the node's secret alone. */
import { z } from '@hono/zod-openapi';
import { type Operators, operatorSchema } from '../operators/operators.ts';
import { type AdminRoute } from './admin-route.ts';
import { readJson } from './input.ts';
import { type Replies } from './replies.ts';

export interface OperatorRoutesModules {
  readonly operators: Operators;
  readonly nowS: () => number;
  readonly replies: Replies;
}

const ORDER_BYTES_MAX = 4_096;
const operator = z.object(operatorSchema.shape).openapi('Operator');
const { name, publicKey, scopes } = operatorSchema.shape;
const operatorOrder = z.strictObject({ name, publicKey, scopes }).openapi('OperatorOrder');
const removeOrder = z.strictObject({ name }).openapi('OperatorRemoval');
const operatorList = z.object({ operators: z.array(operator) }).openapi('Operators');
const json = (schema: z.ZodType) => ({ 'application/json': { schema } });
const body = (schema: z.ZodType) => ({ body: { content: json(schema), required: true } });

export function operatorRoutes({ operators, nowS, replies }: OperatorRoutesModules): AdminRoute[] {
  return [
    {
      method: 'get',
      path: '/v1/operators',
      needs: 'read',
      summary: 'Who the operators are, and what each may do',
      answer: { description: 'Operators', content: json(operatorList) },
      handle: (context) => replies.json(context, { operators: operators.all }),
    },
    {
      method: 'post',
      path: '/v1/operators',
      needs: 'operators',
      summary: 'Names an operator',
      request: body(operatorOrder),
      answer: { description: 'Those there are now', content: json(operatorList) },
      order: async (context) => {
        const order = await readJson(context.env.incoming, operatorOrder, ORDER_BYTES_MAX);
        const carryOut = async () => {
          await operators.add({ ...order, addedAtS: nowS() });
          return replies.json(context, { operators: operators.all });
        };
        return { about: operators.told(order), carryOut };
      },
    },
    {
      method: 'post',
      path: '/v1/operators/remove',
      needs: 'operators',
      summary: 'Takes an operator back: their key counts for nothing from then on',
      request: body(removeOrder),
      answer: { description: 'Those there are now', content: json(operatorList) },
      order: async (context) => {
        const order = await readJson(context.env.incoming, removeOrder, ORDER_BYTES_MAX);
        const carryOut = async () => {
          await operators.remove(order.name, nowS());
          return replies.json(context, { operators: operators.all });
        };
        return { about: operators.toldOf(order.name), carryOut };
      },
    },
  ];
}
