/**
 * main.cf: mail for everyone at example.com goes into one Maildir, since virtual(8) lets no part of an address into a
 * path. Mail for anyone else is refused, nothing is looked up in the DNS, and nobody is told to slow down.
 */
export const mainCf = (folder: string, { uid, gid }: { uid: number; gid: number }): string => `
compatibility_level = 3.6
queue_directory = ${folder}/queue
data_directory = ${folder}/data
maillog_file = /dev/stdout

myhostname = mx.example.com
inet_interfaces = 127.0.0.1
inet_protocols = ipv4
smtpd_peername_lookup = no

virtual_mailbox_domains = example.com
virtual_mailbox_base = ${folder}
virtual_mailbox_maps = static:mail/
virtual_uid_maps = static:${uid}
virtual_gid_maps = static:${gid}

mydestination =
alias_maps =
local_recipient_maps =
smtpd_relay_restrictions = reject_unauth_destination
local_transport = error:no local mailboxes
default_transport = error:no other machines
notify_classes =

smtpd_client_connection_count_limit = 0
in_flow_delay = 0
`

/** master.cf: no chroot, no anvil(8) that counts clients, and no smtp(8) that could bring mail anywhere. */
export const masterCf = (port: number): string => `
127.0.0.1:${port} inet n - n - - smtpd
postlog unix-dgram n - n - 1 postlogd
cleanup unix n - n - 0 cleanup
qmgr    unix n - n 300 1 qmgr
rewrite unix - - n - - trivial-rewrite
virtual unix - n n - - virtual
bounce  unix - - n - 0 bounce
defer   unix - - n - 0 bounce
trace   unix - - n - 0 bounce
error   unix - - n - - error
retry   unix - - n - - error
`
