# Registers agol-backup.xml, to be run as administrator. It asks for the account that the task runs as: one that
# may write C:\ProgramData\agol-backup and the destination. With its password it also reaches shares of other machines.
$account = Get-Credential -Message 'The account that the backup runs as'
Register-ScheduledTask -TaskName 'agol-backup' -Force `
    -Xml (Get-Content -Raw -Path "$PSScriptRoot\agol-backup.xml") `
    -User $account.UserName -Password $account.GetNetworkCredential().Password
