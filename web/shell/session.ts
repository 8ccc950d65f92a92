// Who is signed in, and what their role allows. The API decides; the console only leaves out what would be refused.
import { useApiQuery, type ResponseOf } from '../queries.ts';
import type { Role } from '../labels.ts';

const ORDER: readonly Role[] = ['viewer', 'operator', 'admin'];

export const useSession = () => useApiQuery('getSession', {});

/** True when the caller may do what needs `role`. */
export function useMay(role: Role): boolean {
  const { data } = useSession();
  return data !== undefined && allows(data, role);
}

const allows = (session: ResponseOf<'getSession'>, role: Role): boolean =>
  ORDER.indexOf(session.role) >= ORDER.indexOf(role);
