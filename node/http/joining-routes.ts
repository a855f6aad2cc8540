/** Joining over HTTP: what a region that was invited brings (public), and what the operator does (admin). */
import { decodeBase64, encodeBase64 } from '../../protocol/encoding/base64.ts';
import { type JoiningDesk } from '../joining/joining-desk.ts';
import { type AdminRoute } from './admin-route.ts';
import { readJson } from './input.ts';
import {
  confirmOrder,
  dropOrder,
  invited,
  inviteOrder,
  joiningList,
  joiningReply,
  joiningRequest,
  joiningView,
  type JoiningView,
  joinOrder,
} from './joining-schemas.ts';
import { type Replies } from './replies.ts';
import { type Route } from './routes.ts';

const BODY_BYTES_MAX = 16_384;
const json = (schema: Parameters<typeof readJson>[1]) => ({ 'application/json': { schema } });
const body = (schema: Parameters<typeof readJson>[1]) => ({
  body: { content: json(schema), required: true },
});

export function publicJoiningRoutes(joining: Pick<JoiningDesk, 'take'>, replies: Replies): Route[] {
  return [
    {
      method: 'post',
      path: '/v1/joining',
      summary:
        'Brings the answer to an invitation of this region, and asks whether its operator has confirmed',
      request: body(joiningRequest),
      answer: { description: 'It is taken', content: json(joiningReply) },
      handle: async (context) => {
        const { answer, confirmation } = await readJson(context.env.incoming, joiningRequest, BODY_BYTES_MAX);
        const ours = await joining.take(
          decodeBase64(answer),
          confirmation === undefined ? undefined : decodeBase64(confirmation),
        );
        return replies.json(context, { ...(ours !== undefined && { confirmation: encodeBase64(ours) }) });
      },
    },
  ];
}

export function joiningRoutes(joining: JoiningDesk, replies: Replies): AdminRoute[] {
  /** For the trail: which region, as it says itself, and which invitation. */
  const aboutOf = async (isMeant: (one: JoiningView) => boolean): Promise<string | undefined> => {
    const meant = (await joining.list()).find(isMeant);
    return meant && [meant.region, meant.id].filter((part) => part !== undefined).join(' ');
  };
  const confirmRoute = (side: 'inviting' | 'joining', path: string): AdminRoute => ({
    method: 'post',
    path,
    needs: 'trust',
    summary: `The operator has compared the words: of a region that ${side === 'inviting' ? 'was invited' : 'invited'}`,
    request: body(confirmOrder),
    answer: { description: 'Who has confirmed by now', content: json(joiningView) },
    order: async (context) => {
      const { transcript } = await readJson(context.env.incoming, confirmOrder, BODY_BYTES_MAX);
      const carryOut = async () => replies.json(context, await joining.confirm(side, transcript));
      return { about: await aboutOf((one) => one.transcript === transcript), carryOut };
    },
  });
  return [
    {
      method: 'get',
      path: '/v1/joinings',
      needs: 'read',
      summary: 'Invitations that are open, own and answered ones',
      answer: { description: 'With the words to compare', content: json(joiningList) },
      handle: async (context) => replies.json(context, { joinings: await joining.list() }),
    },
    {
      method: 'post',
      path: '/v1/joinings/invite',
      needs: 'trust',
      summary: 'Invites a region that this one does not know yet',
      request: body(inviteOrder),
      answer: { description: 'The invitation as text', content: json(invited) },
      handle: async (context) =>
        replies.json(
          context,
          await joining.invite(await readJson(context.env.incoming, inviteOrder, BODY_BYTES_MAX)),
        ),
    },
    {
      method: 'post',
      path: '/v1/joinings/join',
      needs: 'trust',
      summary: 'Answers an invitation of another region',
      request: body(joinOrder),
      answer: { description: 'With the words to compare', content: json(joiningView) },
      handle: async (context) => {
        const { invitation } = await readJson(context.env.incoming, joinOrder, BODY_BYTES_MAX);
        return replies.json(context, await joining.join(invitation));
      },
    },
    confirmRoute('inviting', '/v1/joinings/confirm-invited'),
    confirmRoute('joining', '/v1/joinings/confirm-joined'),
    {
      method: 'post',
      path: '/v1/joinings/drop',
      needs: 'trust',
      summary: 'Forgets an invitation of this region, answered or not, or one that this region has answered',
      request: body(dropOrder),
      answer: { description: 'What is left', content: json(joiningList) },
      order: async (context) => {
        const { id } = await readJson(context.env.incoming, dropOrder, BODY_BYTES_MAX);
        const carryOut = async () => {
          await joining.drop(id);
          return replies.json(context, { joinings: await joining.list() });
        };
        return { about: await aboutOf((one) => one.id === id), carryOut };
      },
    },
  ];
}
