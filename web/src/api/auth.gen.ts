// Generated from docs/auth.openapi.json by `make docs`. Do not edit.
export interface paths {
    "/.well-known/jwks.json": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get the public keys with which access tokens are verified. */
        get: operations["jwks"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/admin/audit": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Read the audit log in pages, the newest entries first. */
        get: operations["auditLog"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/admin/users": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List accounts, sorted by e-mail address. */
        get: operations["users"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/admin/users/{user_id}/disable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Disable an account and end its sessions. */
        post: operations["disableUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/admin/users/{user_id}/enable": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Enable a disabled account. */
        post: operations["enableUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/admin/users/{user_id}/revoke": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End all sessions of an account. */
        post: operations["revokeUser"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/login": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Start a session. */
        post: operations["login"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/logout": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End the session of an access token or of a refresh token. */
        post: operations["logout"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/logout-all": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** End all sessions of the account; requires a recently verified password. */
        post: operations["logoutAll"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/me": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** Get the account of the access token. */
        get: operations["me"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/password": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Replace the password and end all other sessions. */
        post: operations["changePassword"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/reauthenticate": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Verify the password again, for operations that require a recent verification. */
        post: operations["reauthenticate"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/refresh": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Exchange a refresh token, which can be used once, for new tokens. */
        post: operations["refresh"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/sessions": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** List the active sessions of the account, newest first. */
        get: operations["sessions"];
        put?: never;
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/sessions/{session_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        post?: never;
        /** End a session; requires a recently verified password unless it is the current one. */
        delete: operations["revokeSession"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/auth/signup": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        put?: never;
        /** Create an account. */
        post: operations["signup"];
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/watchlists": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        /** The watchlists of the user, in their order. */
        get: operations["watchlists"];
        /** Put the watchlists into another order. */
        put: operations["orderWatchlists"];
        post?: never;
        delete?: never;
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
    "/v1/watchlists/{list_id}": {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        get?: never;
        /** Create a watchlist, or change its name and keys. */
        put: operations["saveWatchlist"];
        post?: never;
        /** Remove a watchlist; does nothing if there is none. */
        delete: operations["removeWatchlist"];
        options?: never;
        head?: never;
        patch?: never;
        trace?: never;
    };
}
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        /**
         * Account
         * @description An account, as shown to its owner.
         */
        Account: {
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /** Email */
            email: string;
            /**
             * Roles
             * @description Rights beyond those of every account: `admin`.
             */
            roles: string[];
            /** User Id */
            user_id: string;
        };
        /**
         * AuditEntryBody
         * @description An entry of the audit log.
         */
        AuditEntryBody: {
            /**
             * Address
             * @description The IP address of the request; `local` for commands of an operator.
             */
            address: string;
            /**
             * At
             * Format: date-time
             */
            at: string;
            /**
             * By
             * @description The user id of the administrator who acted on the account; absent for other entries.
             * @default null
             */
            by?: string | null;
            /** Entry Id */
            entry_id: string;
            /** Event */
            event: string;
            /** User Agent */
            user_agent: string;
            /**
             * User Id
             * @description The account concerned; absent if there is none, for example of an unknown e-mail address.
             * @default null
             */
            user_id?: string | null;
        };
        /**
         * AuditLogPage
         * @description A page of the audit log, the newest entry first.
         */
        AuditLogPage: {
            /** Entries */
            entries: components["schemas"]["AuditEntryBody"][];
            /**
             * Next
             * @description The value of `before` for the next page; absent on the last page.
             * @default null
             */
            next?: string | null;
        };
        /**
         * Code
         * @description Every error code that a client can receive; docs/errors.md documents them.
         * @enum {string}
         */
        Code: "bad_message" | "invalid_field" | "unauthenticated" | "token_expired" | "revoked" | "bad_credentials" | "forbidden" | "account_disabled" | "reauthentication_required" | "not_found" | "method_not_allowed" | "email_taken" | "stale_revision" | "idempotency_key_missing" | "idempotency_key_reused" | "command_in_flight" | "order_refused" | "order_final" | "broker_refused" | "link_state_invalid" | "link_refused" | "link_taken" | "limit_exceeded" | "too_many_attempts" | "rate_limited" | "too_large" | "unsupported_encoding" | "too_slow" | "overloaded" | "unavailable" | "timed_out" | "restarting" | "internal";
        /**
         * Ended
         * @description The number of sessions that were ended.
         */
        Ended: {
            /** Sessions Ended */
            sessions_ended: number;
        };
        /**
         * Jwk
         * @description A public key (RFC 8037).
         */
        Jwk: {
            /**
             * Alg
             * @constant
             */
            alg: "EdDSA";
            /**
             * Crv
             * @constant
             */
            crv: "Ed25519";
            /** Kid */
            kid: string;
            /**
             * Kty
             * @constant
             */
            kty: "OKP";
            /**
             * Use
             * @constant
             */
            use: "sig";
            /** X */
            x: string;
        };
        /**
         * Jwks
         * @description The public keys with which access tokens are verified (RFC 7517).
         */
        Jwks: {
            /** Keys */
            keys: components["schemas"]["Jwk"][];
        };
        /**
         * LoginRequest
         * @description The credentials of a login.
         */
        LoginRequest: {
            /**
             * Cookie
             * @description For pages in a browser: the refresh token is set as a cookie that no script can read.
             * @default false
             */
            cookie?: boolean;
            /**
             * Device Token
             * @description From an earlier login of this device; its attempts are then counted separately.
             * @default null
             */
            device_token?: string | null;
            /**
             * Email
             * Format: email
             */
            email: string;
            /**
             * Password
             * Format: password
             */
            password: string;
        };
        /**
         * NewPasswordRequest
         * @description The current password and its replacement.
         */
        NewPasswordRequest: {
            /**
             * Current Password
             * Format: password
             */
            current_password: string;
            /**
             * New Password
             * Format: password
             */
            new_password: string;
        };
        /**
         * PasswordRequest
         * @description The current password.
         */
        PasswordRequest: {
            /**
             * Password
             * Format: password
             */
            password: string;
        };
        /**
         * Problem
         * @description An error (RFC 9457); `code` is stable, `detail` is for people and may change.
         */
        Problem: {
            code: components["schemas"]["Code"];
            /** Detail */
            detail: string;
            /**
             * Field
             * @default null
             */
            field?: string | null;
            /** Status */
            status: number;
        };
        /**
         * RefreshRequest
         * @description The refresh token of a program; a browser sends its cookie instead.
         */
        RefreshRequest: {
            /**
             * Refresh Token
             * @default null
             */
            refresh_token?: string | null;
        };
        /**
         * SessionBody
         * @description A session, as shown to its owner.
         */
        SessionBody: {
            /**
             * Address
             * @description The IP address of the login.
             */
            address: string;
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Current
             * @description Whether this is the session of the request.
             */
            current: boolean;
            /**
             * Ends At
             * Format: date-time
             * @description When the session ends in any case.
             */
            ends_at: string;
            /**
             * Expires At
             * Format: date-time
             * @description When the session ends unless its tokens are refreshed before.
             */
            expires_at: string;
            /**
             * Seen At
             * Format: date-time
             * @description When its tokens were last refreshed.
             */
            seen_at: string;
            /** Session Id */
            session_id: string;
            /** User Agent */
            user_agent: string;
        };
        /**
         * Sessions
         * @description The active sessions, newest first.
         */
        Sessions: {
            /** Sessions */
            sessions: components["schemas"]["SessionBody"][];
        };
        /**
         * SignupRequest
         * @description The account to create.
         */
        SignupRequest: {
            /**
             * Email
             * Format: email
             */
            email: string;
            /**
             * Password
             * Format: password
             */
            password: string;
        };
        /**
         * Tokens
         * @description The tokens that a login or a refresh returns.
         */
        Tokens: {
            /** Access Token */
            access_token: string;
            /**
             * Device Token
             * @description To send with the next login; absent if it was set as a cookie, and after a refresh.
             * @default null
             */
            device_token?: string | null;
            /**
             * Expires In
             * @description Lifetime of the access token in seconds.
             */
            expires_in: number;
            /**
             * Refresh Token
             * @description Can be used once; absent if it was set as a cookie.
             * @default null
             */
            refresh_token?: string | null;
            /**
             * Session Ends At
             * Format: date-time
             * @description When the session ends, however often its tokens are refreshed.
             */
            session_ends_at: string;
            /** Session Id */
            session_id: string;
            /**
             * Token Type
             * @default Bearer
             * @constant
             */
            token_type?: "Bearer";
            /** User Id */
            user_id: string;
        };
        /**
         * UserBody
         * @description An account, as shown to administrators.
         */
        UserBody: {
            /**
             * Created At
             * Format: date-time
             */
            created_at: string;
            /**
             * Disabled At
             * @description Absent if the account is enabled.
             * @default null
             */
            disabled_at?: string | null;
            /** Email */
            email: string;
            /**
             * Last Login At
             * @description Absent before the first login.
             * @default null
             */
            last_login_at?: string | null;
            /** Roles */
            roles: string[];
            /** User Id */
            user_id: string;
        };
        /**
         * Users
         * @description A page of accounts, sorted by e-mail address.
         */
        Users: {
            /**
             * Next
             * @description The value of `after` for the next page; absent on the last page.
             * @default null
             */
            next?: string | null;
            /** Users */
            users: components["schemas"]["UserBody"][];
        };
        /**
         * WatchlistBody
         * @description A list as it is.
         */
        WatchlistBody: {
            /**
             * Keys
             * @description Instrument keys in their order.
             */
            keys: string[];
            /** List Id */
            list_id: string;
            /** Name */
            name: string;
            /**
             * Revision
             * @description To be sent with the next change.
             */
            revision: number;
        };
        /**
         * WatchlistOrder
         * @description The order of all lists.
         */
        WatchlistOrder: {
            /**
             * List Ids
             * @description The id of each list, once.
             */
            list_ids: string[];
        };
        /**
         * WatchlistsBody
         * @description The lists of the user, in their order.
         */
        WatchlistsBody: {
            /** Lists */
            lists: components["schemas"]["WatchlistBody"][];
        };
        /**
         * WatchlistSetting
         * @description A list as it is to be.
         */
        WatchlistSetting: {
            /**
             * Keys
             * @description Instrument keys in their order.
             */
            keys: string[];
            /** Name */
            name: string;
            /**
             * Revision
             * @description The revision that this change is based on; 0 for a new list.
             */
            revision: number;
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: {
        /** @description `00-<trace id>-<span id>-<flags>`; quote the trace id in a report of a problem. */
        traceresponse: string;
    };
    pathItems: never;
}
export type $defs = Record<string, never>;
export interface operations {
    jwks: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Jwks"];
                };
            };
        };
    };
    auditLog: {
        parameters: {
            query?: {
                /** @description The `next` of the page before; empty for the newest entries. */
                before?: string;
                limit?: number;
                /** @description Only entries of this account. */
                user_id?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["AuditLogPage"];
                };
            };
        };
    };
    users: {
        parameters: {
            query?: {
                /** @description Start with the first address that sorts after this one. */
                after?: string;
                limit?: number;
                /** @description Only addresses that start with this text, in lower case. */
                prefix?: string;
            };
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Users"];
                };
            };
        };
    };
    disableUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ended"];
                };
            };
        };
    };
    enableUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    revokeUser: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                user_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ended"];
                };
            };
        };
    };
    login: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["LoginRequest"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
        };
    };
    logout: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RefreshRequest"];
            };
        };
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    logoutAll: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ended"];
                };
            };
        };
    };
    me: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
        };
    };
    changePassword: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["NewPasswordRequest"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Ended"];
                };
            };
        };
    };
    reauthenticate: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["PasswordRequest"];
            };
        };
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    refresh: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: {
            content: {
                "application/json": components["schemas"]["RefreshRequest"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Tokens"];
                };
            };
        };
    };
    sessions: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Sessions"];
                };
            };
        };
    };
    revokeSession: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                session_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
    signup: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["SignupRequest"];
            };
        };
        responses: {
            /** @description Created */
            201: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["Account"];
                };
            };
        };
    };
    watchlists: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WatchlistsBody"];
                };
            };
        };
    };
    orderWatchlists: {
        parameters: {
            query?: never;
            header?: never;
            path?: never;
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WatchlistOrder"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WatchlistsBody"];
                };
            };
        };
    };
    saveWatchlist: {
        parameters: {
            query?: never;
            header?: never;
            path: {
                /** @description Chosen by the client when it creates the list. */
                list_id: string;
            };
            cookie?: never;
        };
        requestBody: {
            content: {
                "application/json": components["schemas"]["WatchlistSetting"];
            };
        };
        responses: {
            /** @description OK */
            200: {
                headers: {
                    [name: string]: unknown;
                };
                content: {
                    "application/json": components["schemas"]["WatchlistBody"];
                };
            };
        };
    };
    removeWatchlist: {
        parameters: {
            query: {
                revision: number;
            };
            header?: never;
            path: {
                /** @description Chosen by the client when it creates the list. */
                list_id: string;
            };
            cookie?: never;
        };
        requestBody?: never;
        responses: {
            /** @description No Content */
            204: {
                headers: {
                    [name: string]: unknown;
                };
                content?: never;
            };
        };
    };
}
